import { z } from 'zod';
import { ask, type NotAskable } from '../ask.js';
import { discard } from '../discard.js';
import { requeue } from '../requeue.js';
import { settleAsDone, settleAsNotDone } from '../settle-by-hand.js';
import { act, type Engine, type Tables } from './act.js';

const REQUEUE_RULE = 'only an errored event can be requeued';
const DISCARD_RULE = 'only an errored or waiting event can be discarded';

export const requeueEvent = act({
  name: 'requeue',
  on: 'event',
  input: null,
  reason: 'required',
  words: { zh: '重新执行', en: 'Retry now' },
  route: { url: '/v1/events/:id/requeue', summary: 'errored → pending with fresh failures' },
  form: { urls: ['/console/events/:id/requeue'] },
  command: { name: 'events requeue', says: REQUEUE_RULE, rule: REQUEUE_RULE },
  run: ({ database }: Tables, { id }, by) => requeue(database, id, by),
});

export const discardEvent = act({
  name: 'discard',
  on: 'event',
  input: null,
  reason: 'required',
  words: { zh: '放弃', en: 'Discard' },
  route: {
    url: '/v1/events/:id/discard',
    summary: 'Give an event up for good: with the compensation of its type, or refused with the reason',
  },
  form: { urls: ['/console/events/:id/discard'] },
  command: { name: 'events discard', says: DISCARD_RULE, rule: DISCARD_RULE },
  run: ({ database, registry }: Engine, { id }, by) => discard(database, registry, id, by),
});

export const settleEvent = act({
  name: 'settle',
  verbs: ['settle-done', 'settle-not-done'],
  on: 'event',
  input: z.object({ as: z.enum(['done', 'not-done']) }),
  reason: 'required',
  words: { zh: '人工结案', en: 'Settle by hand' },
  route: {
    url: '/v1/events/:id/settle',
    summary:
      'State what the vendor did: done → handled; not done (unknown outcomes only) → carried out again without asking first',
  },
  form: { urls: ['/console/events/:id/settle-done', '/console/events/:id/settle-not-done'] },
  command: {
    name: 'events settle',
    says: 'state what the vendor did with an errored event',
    rule: 'only an errored event can be settled by hand, and as not done only one whose outcome is unknown',
  },
  run: ({ database, registry }: Engine, { id, as }, by) =>
    as === 'done' ? settleAsDone(database, registry, id, by) : settleAsNotDone(database, id, by),
});

export const askVendor = act({
  name: 'ask',
  on: 'event',
  input: null,
  reason: 'none',
  words: { zh: '查询对方状态', en: 'Ask the vendor' },
  route: {
    url: '/v1/events/:id/ask',
    summary: 'Ask the vendor what its books say; the answer is kept, nothing else changes',
  },
  form: { urls: ['/console/events/:id/ask'] },
  command: {
    name: 'events ask',
    says: 'ask the vendor what its books say of this event; the answer is kept in the audit',
    conflict: (problem) => `there is no vendor to ask about ${(problem as NotAskable).type}`,
  },
  run: ({ database, registry }: Engine, { id }, by) => ask(database, registry, id, by),
});
