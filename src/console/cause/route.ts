import type { FastifyInstance } from 'fastify';
import { loadGroup } from '../../alerts/group.js';
import { markKnown, unmarkKnown } from '../../alerts/known.js';
import { Problem } from '../../base/problems.js';
import { id } from '../../http/schemas.js';
import { findAttempts } from '../../operate/find.js';
import { countEvents } from '../../operate/list.js';
import { unpackExchanges } from '../../outbox/exchanges.js';
import type { ConsoleContext } from '../context.js';
import { paramsOf } from '../request.js';
import { occurrencesOf } from './occurrences.js';
import { causePage } from './page.js';

export function causeRoutes(app: FastifyInstance, context: ConsoleContext): void {
  const { database, reading } = context;

  app.get('/console/causes/:id', async (request, reply) => {
    const wanted = paramsOf(request).id ?? '';
    const visitor = context.visitor(request);
    const group = id.safeParse(wanted).success ? await loadGroup(reading, wanted) : null;
    if (!group) throw new Problem('not-found', { detail: visitor.words.notFound });
    const [occurrences, errored, now] = await Promise.all([
      occurrencesOf(reading, group.id),
      countEvents(reading, { state: 'errored', cause: group.groupKey }),
      reading.now(),
    ]);
    const newest = occurrences.find((one) => one.eventId !== null)?.eventId ?? null;
    const last = newest ? (await findAttempts(reading.manager, newest)).at(-1) : undefined;
    const sample =
      newest && last
        ? { eventId: newest, number: last.number, exchanges: unpackExchanges(last.exchanges) }
        : null;
    return context.page(
      request,
      reply,
      `${visitor.words.cause} ${group.id}`,
      causePage(visitor, { group, occurrences, errored, sample, now }),
    );
  });

  app.post('/console/causes/:id/:act', async (request, reply) => {
    const { id: of = '', act: verb } = paramsOf(request);
    const act = context.act(request, null);
    if (!id.safeParse(of).success || (verb !== 'know' && verb !== 'unknow')) throw new Problem('not-found');
    const reason = context.reasonOf(request);
    const result =
      verb === 'know'
        ? await markKnown(database, of, { ...act, reason })
        : await unmarkKnown(database, of, { ...act, reason });
    if (result.kind === 'not-found') throw new Problem('not-found');
    if (result.kind === 'conflict')
      throw new Problem('cause-not-open', { more: { currentStatus: result.status } });
    return context.redirect(reply, `/console/causes/${of}`);
  });
}
