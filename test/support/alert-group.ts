import type { AlertGroup } from '../../src/alerts/group.js';

/** A group that is open and has something to say. */
export const alertGroup = (more: Partial<AlertGroup>): AlertGroup => ({
  id: '1',
  groupKey: 'k',
  kind: 'errored',
  status: 'open',
  title: 't',
  cause: 'c',
  eventType: 'MEICAN_NEW_V2_ORDER',
  occurrences: 3,
  unsent: 1,
  round: 1,
  firstAt: new Date(0),
  lastAt: new Date(0),
  sentAt: null,
  recoveredAt: null,
  known: null,
  cameBack: 0,
  build: null,
  ...more,
});
