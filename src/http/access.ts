import { type Role, roles } from '../base/caller.js';

/** `open`: nobody has to say who he is. `console`: the console has a way in of its own (console/index.ts). Otherwise: a token with one of these roles. */
export type Access = 'open' | 'console' | readonly Role[];

const anybody = roles;
const orders = ['user', 'service', 'operator'] as const;
const gateway = ['service', 'operator'] as const;
const look = ['viewer', 'operator'] as const;
const act = ['operator'] as const;

/** THE list of who may call what. A route that is not on it stops the start. An admin may do whatever an operator may. */
const table: Readonly<Record<string, Access>> = {
  'GET /livez': 'open',
  'GET /readyz': 'open',
  'GET /docs/problems': 'open',
  'GET /metrics': ['service', ...look],

  'PUT /v1/menus/:garden/:date/:mealType': ['manager', 'operator'],
  'GET /v1/menus/:garden/:date/:mealType': anybody,

  'POST /v1/orders': orders,
  'GET /v1/orders': anybody,
  'GET /v1/orders/:id': anybody,
  'POST /v1/orders/:id/cancel': orders,
  'POST /v1/orders/:id/reveal': act,
  'GET /v1/orders/:id/timeline': ['manager', ...look],
  'GET /v1/orders/:id/why': ['manager', ...look],
  'POST /v1/canteen-consumptions': gateway,
  'POST /v1/coffee-trades/:tradeNo/refund': gateway,

  'GET /v1/events': look,
  'GET /v1/events/:id': look,
  'GET /v1/events/:id/why': look,
  'POST /v1/events/:id/requeue': act,
  'POST /v1/events/:id/discard': act,
  'POST /v1/events/:id/settle': act,
  'POST /v1/events/:id/ask': act,
  'POST /v1/event-batches': act,
  'GET /v1/event-batches/:id': look,
  'POST /v1/event-batches/:id/execute': act,
  'POST /v1/event-batches/:id/stop': act,

  'GET /v1/pauses': look,
  'POST /v1/pauses': act,
  'POST /v1/pauses/resume': act,
  'GET /v1/causes': look,
  'POST /v1/causes/:id/know': act,
  'POST /v1/causes/:id/unknow': act,
  'GET /v1/audit': look,
  'GET /v1/books': ['manager', ...look],
  'GET /v1/books/repairs': ['manager', ...look],
  'POST /v1/books/repairs': act,
};

const CONSOLE = /^\/console(\/|$)/;
/** The API's description: for whoever has a token, or for everybody (`DOCS_OPEN`). */
const DOCS = /^\/(docs(\/.*)?|openapi\.json)$/;

/** Who may call this route; undefined: nobody has said. */
export function accessOf(method: string, url: string, docsOpen: boolean): Access | undefined {
  const listed = table[`${method === 'HEAD' ? 'GET' : method} ${url}`];
  if (listed !== undefined) return listed;
  if (CONSOLE.test(url)) return 'console';
  if (DOCS.test(url)) return docsOpen ? 'open' : anybody;
  return undefined;
}

export function mayCall(role: Role, access: readonly Role[]): boolean {
  return access.includes(role) || (role === 'admin' && access.includes('operator'));
}

export interface Route {
  readonly method: string;
  readonly url: string;
}

/** The routes whose pattern fits this path, whatever their method. */
export function routesAt(routes: readonly Route[], path: string): Route[] {
  const parts = path.split('/');
  return routes.filter(({ url }) => fits(url.split('/'), parts));
}

function fits(pattern: readonly string[], parts: readonly string[]): boolean {
  if (pattern.at(-1) === '*')
    return parts.length >= pattern.length && pattern.slice(0, -1).every((part, i) => same(part, parts[i]));
  return pattern.length === parts.length && pattern.every((part, i) => same(part, parts[i]));
}

function same(part: string, given: string | undefined): boolean {
  return part.startsWith(':') ? given !== undefined && given !== '' : part === given;
}
