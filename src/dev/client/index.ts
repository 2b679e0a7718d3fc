import createClient, { type Client } from 'openapi-fetch';
import type { paths } from './schema.js';

/** A client of the API, typed by its description: `docs/openapi.json` → `schema.ts`, by `npm run openapi`. */
export type LunchboxClient = Client<paths>;

export function createLunchboxClient({ url, token }: { url: string; token: string }): LunchboxClient {
  return createClient<paths>({
    baseUrl: url.replace(/\/+$/, ''),
    headers: { authorization: `Bearer ${token}` },
  });
}
