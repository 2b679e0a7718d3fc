import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { Problem } from '../../base/problems.js';
import type { Database } from '../../database/database.js';

const READY_TIMEOUT_MS = 2_000;

export interface HealthOptions {
  readonly database: Database;
  readonly metrics: { readonly contentType: string; scrape(): Promise<string> };
}

export const healthRoutes: FastifyPluginAsyncZod<HealthOptions> = async (app, { database, metrics }) => {
  app.get(
    '/livez',
    {
      schema: {
        summary: 'The process runs',
        security: [],
        response: { 200: z.object({ status: z.literal('ok') }) },
      },
    },
    async () => ({
      status: 'ok' as const,
    }),
  );

  app.get(
    '/readyz',
    {
      schema: {
        summary: 'The process can serve',
        security: [],
        response: { 200: z.object({ status: z.literal('ready') }) },
      },
    },
    async () => {
      const late = new Promise<never>((_, reject) =>
        setTimeout(() => reject(new Error('late')), READY_TIMEOUT_MS).unref(),
      );
      await Promise.race([database.now(), late]).catch(() => {
        throw new Problem('dependency-unavailable', {
          detail: 'the database does not answer',
          retryAfterS: 5,
        });
      });
      return { status: 'ready' as const };
    },
  );

  app.get('/metrics', { schema: { hide: true } }, async (_request, reply) =>
    reply.type(metrics.contentType).send(await metrics.scrape()),
  );
};
