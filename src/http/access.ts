import { type Role, roles } from '../base/caller.js';
import { acts } from '../operate/acts/index.js';

/**
 * `open`: no token is needed. `console`: the console signs people in itself (console/index.ts). Otherwise: a token with one of these roles.
 */
export type Access = 'open' | 'console' | readonly Role[];

const anyRole = roles;
const orders = ['user', 'service', 'operator'] as const;
const gateway = ['service', 'operator'] as const;
const look = ['viewer', 'operator'] as const;
const complaints = ['user', 'manager', ...look] as const;

/** THE list of who may call what; the acts bring their own rows. A route that is not on it stops the start. An admin may do whatever an operator may. */
const table: Readonly<Record<string, Access>> = {
  'GET /livez': 'open',
  'GET /readyz': 'open',
  'GET /docs/problems': 'open',
  'GET /metrics': ['service', ...look],

  'PUT /v1/menus/:garden/:date/:mealType': ['manager', 'operator'],
  'GET /v1/menus/:garden/:date/:mealType': anyRole,

  'POST /v1/order-tokens': orders,
  'POST /v1/orders': orders,
  'GET /v1/orders': anyRole,
  'GET /v1/orders/:id': anyRole,
  'POST /v1/orders/:id/cancel': orders,
  'GET /v1/orders/:id/timeline': ['manager', ...look],
  'GET /v1/orders/:id/why': ['manager', ...look],
  'POST /v1/orders/:id/complaints': orders,
  'GET /v1/complaints': complaints,
  'GET /v1/complaints/:id': complaints,
  'POST /v1/fulfilments': gateway,
  'POST /v1/canteen-consumptions': gateway,
  'POST /v1/coffee-trades/:tradeNo/refund': gateway,

  'GET /v1/events': look,
  'GET /v1/events/:id': look,
  'GET /v1/events/:id/why': look,
  'GET /v1/event-batches/:id': look,

  'GET /v1/pauses': look,
  'GET /v1/causes': look,
  'GET /v1/audit': look,
  'GET /v1/books': ['manager', ...look],
  'GET /v1/books/repairs': ['manager', ...look],

  ...Object.fromEntries(
    acts.flatMap(({ route, roles: mayAct }) => ('none' in route ? [] : [[`POST ${route.url}`, mayAct]])),
  ),
};

const CONSOLE = /^\/console(\/|$)/;
/** The API's description: for every token, or for everybody (`DOCS_OPEN`). */
const DOCS = /^\/(docs(\/.*)?|openapi\.json)$/;

/** Who may call this route; undefined: the list does not say. */
export function accessOf(method: string, url: string, docsOpen: boolean): Access | undefined {
  const listed = table[`${method === 'HEAD' ? 'GET' : method} ${url}`];
  if (listed !== undefined) return listed;
  if (CONSOLE.test(url)) return 'console';
  if (DOCS.test(url)) return docsOpen ? 'open' : anyRole;
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
