import { createHash } from 'node:crypto';
import etag from '@fastify/etag';
import staticFiles from '@fastify/static';
import type { FastifyInstance, FastifyPluginAsync } from 'fastify';
import { ASSET_PREFIX, assetFolder } from './assets.js';
import { auditRoutes } from './audit/route.js';
import { batchRoutes } from './batches/route.js';
import { causeRoutes } from './cause/route.js';
import { causesRoutes } from './causes/route.js';
import { complaintRoutes } from './complaint/route.js';
import { complaintsRoutes } from './complaints/route.js';
import { ConsoleContext } from './context.js';
import { controlsRoutes } from './controls/route.js';
import { answerErrors } from './errors.js';
import { eventRoutes } from './event/route.js';
import { eventsRoutes } from './events/route.js';
import { closeGate } from './gate.js';
import type { ConsoleOptions } from './options.js';
import { orderRoutes } from './order/route.js';
import { ordersRoutes } from './orders/route.js';
import { overviewRoutes } from './overview/route.js';
import { runbookRoutes } from './runbooks/route.js';
import { schedulesRoutes } from './schedules/route.js';
import { searchRoutes } from './search/route.js';
import { signInRoutes } from './sign-in/route.js';

const FORM_MAX_BYTES = 16 * 1024;
const ASSET_MAX_AGE = '1y';

const pages = [
  signInRoutes,
  overviewRoutes,
  searchRoutes,
  eventsRoutes,
  eventRoutes,
  ordersRoutes,
  orderRoutes,
  complaintsRoutes,
  complaintRoutes,
  causesRoutes,
  causeRoutes,
  runbookRoutes,
  schedulesRoutes,
  controlsRoutes,
  auditRoutes,
  batchRoutes,
];

/**
 * The operators' pages. Every page works without a script; every act is a form and calls the function that
 * the API calls.
 */
export const consoleRoutes: FastifyPluginAsync<ConsoleOptions> = async (app, options) => {
  const context = new ConsoleContext(options);
  app.addHook('onRoute', (route) => {
    route.schema = { ...route.schema, hide: true }; // pages are no part of the API's description
  });
  acceptForms(app);
  await registerLibraries(app);
  closeGate(app, context);
  answerErrors(app, context);
  app.get('/console', async (_request, reply) => context.redirect(reply, '/console/'));
  for (const addRoutes of pages) addRoutes(app, context);
};

/** Forms alone. Every field is one text; of a field that comes twice the last text counts. */
function acceptForms(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  const limits = { parseAs: 'string', bodyLimit: FORM_MAX_BYTES } as const;
  app.addContentTypeParser<string>('application/x-www-form-urlencoded', limits, (_request, body, done) =>
    done(null, Object.fromEntries(new URLSearchParams(body))),
  );
}

async function registerLibraries(app: FastifyInstance): Promise<void> {
  await app.register(etag, { hashFn: hashOfContent });
  await app.register(staticFiles, {
    root: assetFolder,
    prefix: ASSET_PREFIX,
    index: false,
    maxAge: ASSET_MAX_AGE,
    immutable: true,
    decorateReply: false,
  });
}

/**
 * A page that did not change costs a 304. Relative times, which tick in the browser, are left out of its
 * hash.
 */
function hashOfContent(page: string | Buffer): string {
  return createHash('sha256')
    .update(typeof page === 'string' ? page.replace(/<small>[^<]*<\/small>/g, '') : page)
    .digest('hex')
    .slice(0, 16);
}
