// Prunes what is old, once, in a process of its own, with the built program; CRASH_AT kills it on the way.
import { Database } from '../../dist/database/database.js';
import { prune } from '../../dist/operate/prune.js';

const database = await Database.open({ url: process.env.DATABASE_URL, poolSize: 2 });
await prune(database, { keepMs: 86_400_000, batchSize: 200, batchesMax: 10 });
await database.close();
