import { Initial1763683200000 } from './1763683200000-initial.js';

/** THE list, oldest first. A migration that has been released is never edited; a later one mends it. */
export const migrations = [Initial1763683200000];
