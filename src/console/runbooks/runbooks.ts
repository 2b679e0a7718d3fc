import type { AlertGroup } from '../../alerts/group.js';

/** The file of docs/runbooks for each kind of alert group. */
export const runbookOf: Record<AlertGroup['kind'], string> = {
  errored: 'event-errored',
  unknown: 'outcome-unknown',
  loss: 'event-errored',
  'placements-failing': 'event-errored',
  'vendor-down': 'vendor-down',
  drift: 'event-errored',
  'poller-silent': 'poller-silent',
  'cannot-learn': 'cannot-learn',
  'complaint-waiting': 'complaints-wait',
};
