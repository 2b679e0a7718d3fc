import { Initial1763683200000 } from './1763683200000-initial.js';
import { DeadlineFirst1763760000000 } from './1763760000000-deadline-first.js';
import { Operations1763770000000 } from './1763770000000-operations.js';
import { Batches1763780000000 } from './1763780000000-batches.js';
import { OnCall1763790000000 } from './1763790000000-on-call.js';
import { QueuedKey1763800000000 } from './1763800000000-queued-key.js';
import { FewerMoves1763810000000 } from './1763810000000-fewer-moves.js';
import { CoffeeRefundNumber1764001000000 } from './1764001000000-coffee-refund-number.js';
import { VainQuestions1764002000000 } from './1764002000000-vain-questions.js';
import { OpenRows1764003000000 } from './1764003000000-open-rows.js';
import { SignOuts1764004000000 } from './1764004000000-sign-outs.js';
import { ExactPeople1764004100000 } from './1764004100000-exact-people.js';
import { Installation1764005000000 } from './1764005000000-installation.js';
import { StoredColumns1764006000000 } from './1764006000000-stored-columns.js';
import { Fulfilment1765100000000 } from './1765100000000-fulfilment.js';
import { Complaints1765100001000 } from './1765100001000-complaints.js';

/** THE list, oldest first. A migration that has been released is never edited; a later one mends it. */
export const migrations = [
  Initial1763683200000,
  DeadlineFirst1763760000000,
  Operations1763770000000,
  Batches1763780000000,
  OnCall1763790000000,
  QueuedKey1763800000000,
  FewerMoves1763810000000,
  CoffeeRefundNumber1764001000000,
  VainQuestions1764002000000,
  OpenRows1764003000000,
  SignOuts1764004000000,
  ExactPeople1764004100000,
  Installation1764005000000,
  StoredColumns1764006000000,
  Fulfilment1765100000000,
  Complaints1765100001000,
];
