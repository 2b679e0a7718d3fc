import type { FastifyInstance, FastifyRequest } from 'fastify';
import { Problem } from '../../base/problems.js';
import type { Act } from '../../operate/acts/act.js';
import { approveRefund, inspectBox, receiveBox, reviewOfComplaint } from '../../operate/acts/complaints.js';
import { needsInspection } from '../../orders/complaint-rules.js';
import { readComplaint } from '../../orders/read-complaints.js';
import type { ReviewDependencies } from '../../orders/review-complaint.js';
import type { ConsoleContext } from '../context.js';
import { perform } from '../perform.js';
import { idOf } from '../request.js';
import { complaintPage } from './page.js';

export function complaintRoutes(app: FastifyInstance, context: ConsoleContext): void {
  const { reading, database } = context;
  const { complaints: rules } = context.options;

  app.get('/console/complaints/:id', async (request, reply) => {
    const id = idOf(request);
    const [found, now] = await Promise.all([id === null ? null : readComplaint(reading, id), reading.now()]);
    if (!found) throw new Problem('not-found');
    const visitor = context.visitor(request);
    const page = { ...found, needsInspection: needsInspection(found.complaint, rules), now };
    return context.page(request, reply, {
      title: `${visitor.words.complaint} #${found.view.id}`,
      body: complaintPage(visitor, page),
    });
  });

  serveForm('review', reviewOfComplaint);
  serveForm('returned', receiveBox);
  serveForm('inspect', inspectBox);
  serveForm('approve', approveRefund);

  function serveForm<Stated extends object, Answer>(
    name: string,
    act: Act<ReviewDependencies, Stated, Answer>,
  ): void {
    app.post(`/console/complaints/:id/${name}`, async (request: FastifyRequest, reply) => {
      await perform(context, request, act, { database, rules });
      return context.redirect(reply, `/console/complaints/${idOf(request)}`);
    });
  }
}
