import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { complaintStates } from '../../entities/complaint.js';
import { complaintQueue, listComplaints } from '../../orders/read-complaints.js';
import type { ConsoleContext } from '../context.js';
import { optionalId, queryOf } from '../request.js';
import { complaintsPage } from './page.js';

const LIST_MAX = 50;
const query = z.object({
  state: z.enum(complaintStates).optional().catch(undefined),
  beforeId: optionalId,
});

export function complaintsRoutes(app: FastifyInstance, context: ConsoleContext): void {
  const { reading } = context;

  app.get('/console/complaints', async (request, reply) => {
    const { state, beforeId } = query.parse(queryOf(request));
    const [found, now] = await Promise.all([
      state ? listComplaints(reading, { state, beforeId, limit: LIST_MAX + 1 }) : complaintQueue(reading),
      reading.now(),
    ]);
    const rows = state ? found.slice(0, LIST_MAX) : found;
    const nextId = rows.length < found.length ? (rows.at(-1)?.id ?? null) : null;
    const visitor = context.visitor(request);
    return context.page(request, reply, {
      title: visitor.words.complaints,
      body: complaintsPage(visitor, { state, rows, nextId, now }),
    });
  });
}
