import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { mayReach } from '../../base/caller.js';
import { Problem } from '../../base/problems.js';
import { redact } from '../../base/redact.js';
import { complaintKinds, complaintStates } from '../../entities/complaint.js';
import { complaintVerdicts } from '../../entities/complaint-review.js';
import { approveRefund, inspectBox, receiveBox, reviewOfComplaint } from '../../operate/acts/complaints.js';
import { type ComplainDependencies, complain } from '../../orders/complain.js';
import { complaintView } from '../../orders/complaint-view.js';
import { listComplaints, readComplaint, reviewsOf } from '../../orders/read-complaints.js';
import { send } from '../answer.js';
import { decodeCursor, toPage } from '../cursor.js';
import { attemptedBy, callerOf } from '../request.js';
import { cents, id, page, pageOf, pathId } from '../schemas.js';
import { serveAct } from '../serve-act.js';

const TEXT_MAX = 2_000;
/** One transaction. */
const LOCK_MS = 10_000;

/** Lines may be broken. Whatever looks like a person's address or number is taken out before it is kept. */
const text = z
  .string()
  .trim()
  .min(1)
  .max(TEXT_MAX, { abort: true })
  .regex(/^[^\p{Cs}]*$/u, 'no halves of characters')
  .regex(/^(?:\P{Cc}|[\n\r\t])*$/u, 'no control characters')
  .overwrite((given) => redact(given));
const body = z.object({ kind: z.enum(complaintKinds), text, wantedInCent: cents });
const review = z.object({
  by: z.string(),
  at: z.string(),
  verdict: z.enum(complaintVerdicts),
  note: z.string().nullable(),
});
const complaintSchema = z
  .object({
    id,
    orderId: id,
    orderNo: z.string(),
    kind: z.enum(complaintKinds),
    text: z.string(),
    wantedInCent: z.number().int(),
    grantedInCent: z.number().int().nullable(),
    state: z.enum(complaintStates),
    reviews: z.array(review),
    createdAt: z.string(),
  })
  .meta({ id: 'Complaint' });

export const complaintRoutes: FastifyPluginAsyncZod<ComplainDependencies> = async (app, dependencies) => {
  const { database } = dependencies;

  app.post(
    '/v1/orders/:id/complaints',
    {
      schema: {
        summary: 'Complain about an order, and name the amount that should come back',
        params: z.object({ id: pathId }),
        body,
        response: { 201: complaintSchema },
      },
    },
    async (request, reply) => {
      const caller = callerOf(request);
      const orderId = request.params.id;
      const attempted = attemptedBy(request, caller, 'complain', { orderId, ...request.body }, LOCK_MS);
      const { traceparent } = request;
      const answer = await complain(dependencies, {
        attempted,
        caller,
        orderId,
        traceparent,
        ...request.body,
      });
      return send(reply, answer);
    },
  );

  app.get(
    '/v1/complaints',
    {
      schema: {
        summary: 'Complaints, newest first',
        querystring: z.object({ state: z.enum(complaintStates).optional(), ...page }),
        response: { 200: pageOf(complaintSchema) },
      },
    },
    async (request) => {
      const caller = callerOf(request);
      const { state, limit, cursor } = request.query;
      const userId = caller.role === 'user' ? caller.sub : undefined;
      const beforeId = decodeCursor(cursor);
      const rows = await listComplaints(database, { state, userId, beforeId, limit: limit + 1 });
      const reviews = await reviewsOf(database, rows);
      return toPage(rows, limit, (row) => complaintView(row, reviews.get(row.id) ?? []));
    },
  );

  app.get(
    '/v1/complaints/:id',
    {
      schema: {
        summary: 'One complaint',
        params: z.object({ id: pathId }),
        response: { 200: complaintSchema },
      },
    },
    async (request) => {
      const found = await readComplaint(database, request.params.id);
      if (!found || !mayReach(callerOf(request), found.complaint.userId))
        throw new Problem('not-found', { detail: 'there is no such complaint' });
      return found.view;
    },
  );

  const answer = { schema: complaintSchema, view: (done: unknown) => done };
  serveAct(app, reviewOfComplaint, () => dependencies, answer);
  serveAct(app, receiveBox, () => dependencies, answer);
  serveAct(app, inspectBox, () => dependencies, answer);
  serveAct(app, approveRefund, () => dependencies, answer);
};
