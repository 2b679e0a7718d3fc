import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { ConsoleContext } from '../context.js';
import { exportEvents, exportFormats } from './export.js';
import { filterOf, parseAddress } from './filter.js';

const form = z.object({ format: z.enum(exportFormats), query: z.string().max(2_000) });
const mediaTypes = { csv: 'text/csv; charset=utf-8', ndjson: 'application/x-ndjson; charset=utf-8' } as const;

export function exportRoute(app: FastifyInstance, context: ConsoleContext): void {
  const { reading, outbox } = context;

  app.post('/console/events/export', async (request, reply) => {
    const act = context.act(request, null);
    const { format, query } = form.parse(request.body);
    const filter = filterOf(parseAddress(query), outbox.registry, await reading.now());
    const file = await exportEvents(context, { filter, query, format }, act);
    return reply
      .header('Content-Disposition', `attachment; filename="events.${format}"`)
      .type(mediaTypes[format])
      .send(file);
  });
}
