import { z } from 'zod';
import { markKnown, unmarkKnown } from '../../alerts/known.js';
import { PAUSE_MAX_MS, pause, resume } from '../pause.js';
import { type RecurringEvents, runNow, runNowNames } from '../run-now.js';
import { act, type Engine, reasonOf, type Tables } from './act.js';

export const pauseScopes = ['type', 'target'] as const;
const MINUTE_MS = 60_000;
const scoped = z.object({ scope: z.enum(pauseScopes), name: z.string().min(1).max(64) });
const minutes = z
  .number()
  .int()
  .min(1)
  .max(PAUSE_MAX_MS / MINUTE_MS);

export const pauseClaims = act({
  name: 'pause',
  on: null,
  input: scoped.extend({ minutes }),
  reason: 'required',
  words: { zh: '暂停', en: 'Pause' },
  route: { url: '/v1/pauses', summary: 'Claim nothing of a type, or of a vendor, for some minutes' },
  form: { urls: ['/console/controls/pause'] },
  command: {
    name: 'pause',
    says: 'claim nothing of an event type, or of a vendor, for some minutes',
    notFound: ({ scope, name }) => `there is no ${scope} ${name}`,
    conflict: (_problem, { name }) => `${name} is paused already`,
  },
  run: ({ database, registry }: Engine, { scope, name, minutes: many }, by) =>
    pause(database, registry, { scope, name, forMs: many * MINUTE_MS }, reasonOf(by)),
});

export const resumeClaims = act({
  name: 'resume',
  on: null,
  input: scoped,
  reason: 'over-http',
  words: { zh: '恢复', en: 'Resume' },
  route: { url: '/v1/pauses/resume', summary: 'End a pause before its time' },
  form: { urls: ['/console/controls/resume'] },
  command: {
    name: 'resume',
    says: 'end a pause before its time',
    notFound: ({ name }) => `${name} is not paused`,
  },
  run: ({ database }: Tables, { scope, name }, by) => resume(database, { scope, name }, by),
});

export const knowCause = act({
  name: 'know',
  on: 'cause',
  input: null,
  reason: 'required',
  words: { zh: '标为已知', en: 'Mark as known' },
  route: {
    url: '/v1/causes/:id/know',
    summary: 'No more messages about an open cause until it has recovered and comes back',
  },
  form: { urls: ['/console/causes/:id/know'] },
  command: {
    name: 'causes know',
    says: 'no more messages about an open cause until it has recovered and comes back',
  },
  run: ({ database }: Tables, { id }, by) => markKnown(database, id, reasonOf(by)),
});

export const forgetCause = act({
  name: 'unknow',
  on: 'cause',
  input: null,
  reason: 'required',
  words: { zh: '取消已知', en: 'No longer known' },
  route: { url: '/v1/causes/:id/unknow', summary: 'A known cause is to ring again' },
  form: { urls: ['/console/causes/:id/unknow'] },
  command: { name: 'causes unknow', says: 'a known cause is to ring again' },
  run: ({ database }: Tables, { id }, by) => unmarkKnown(database, id, by),
});

export const runScheduleNow = act({
  name: 'run-now',
  on: null,
  input: z.object({ name: z.enum(runNowNames) }),
  reason: 'none',
  words: { zh: '立即执行', en: 'Run now' },
  route: { none: 'it only saves the wait for the hour; over HTTP the books have routes of their own' },
  form: { urls: ['/console/schedules/:name/run'] },
  command: { none: '`poll --once` carries out what is due, and `books` compares at once' },
  run: ({ database, recurring }: Tables & { readonly recurring: RecurringEvents }, { name }, by) =>
    runNow(database, recurring, name, by),
});
