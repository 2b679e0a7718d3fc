import type { AnyAct } from './act.js';
import { executeBulk, previewBulk, stopBulk } from './batches.js';
import { approveRefund, inspectBox, receiveBox, reviewOfComplaint } from './complaints.js';
import { forgetCause, knowCause, pauseClaims, resumeClaims, runScheduleNow } from './controls.js';
import { askVendor, discardEvent, requeueEvent, settleEvent } from './events.js';
import { repairBooks, revealDiner } from './orders.js';

/** THE table of what people on call, and managers, may do. The routes, the forms and the commands are made from its rows. */
export const acts: readonly AnyAct[] = [
  requeueEvent,
  discardEvent,
  settleEvent,
  askVendor,
  previewBulk,
  executeBulk,
  stopBulk,
  pauseClaims,
  resumeClaims,
  knowCause,
  forgetCause,
  revealDiner,
  repairBooks,
  runScheduleNow,
  reviewOfComplaint,
  receiveBox,
  inspectBox,
  approveRefund,
];
