import { executeBulk, previewBulk, stopBulk } from '../../operate/acts/batches.js';
import { approveRefund, inspectBox, receiveBox, reviewOfComplaint } from '../../operate/acts/complaints.js';
import {
  forgetCause,
  knowCause,
  pauseClaims,
  resumeClaims,
  runScheduleNow,
} from '../../operate/acts/controls.js';
import { askVendor, discardEvent, requeueEvent } from '../../operate/acts/events.js';
import { revealDiner } from '../../operate/acts/orders.js';

/** What the buttons of the acts say: each act brings its own words. */
export const actWords = (language: 'zh' | 'en') => ({
  requeue: requeueEvent.words[language],
  ask: askVendor.words[language],
  discard: discardEvent.words[language],
  pause: pauseClaims.words[language],
  resume: resumeClaims.words[language],
  preview: previewBulk.words[language],
  execute: executeBulk.words[language],
  stop: stopBulk.words[language],
  know: knowCause.words[language],
  unknow: forgetCause.words[language],
  runNow: runScheduleNow.words[language],
  reveal: revealDiner.words[language],
  reviewComplaint: reviewOfComplaint.words[language],
  boxReturned: receiveBox.words[language],
  inspectBox: inspectBox.words[language],
  approveRefund: approveRefund.words[language],
});
