import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Kit } from '../support/kit.js';

const SCRIPT_MAX_BYTES = 8 * 1024;
const FIRST_VIEW_MAX_BYTES = 45 * 1024;

describe('the sheet and the script of the console', () => {
  let kit: Kit;
  let page: string;
  let paths: { style: string; script: string };
  const get = (url: string, headers: Record<string, string> = {}) =>
    kit.app.inject({ method: 'GET', url, headers: { host: 'lunchbox.test', ...headers } });

  beforeAll(async () => {
    kit = await Kit.create('sqlite');
    page = (await get('/console/', { cookie: `lunchbox_session=${await kit.token('zhang', 'operator')}` }))
      .body;
    paths = {
      style: /<link rel="stylesheet" href="([^"]+)">/.exec(page)?.[1] ?? '',
      script: /<script src="([^"]+)" defer>/.exec(page)?.[1] ?? '',
    };
  });
  afterAll(() => kit.close());

  it('are named by their content, and kept by browsers for a year; nobody has to be signed in', async () => {
    expect(paths.style).toMatch(/^\/console\/assets\/console-[A-Z0-9]{8}\.css$/);
    expect(paths.script).toMatch(/^\/console\/assets\/console-[A-Z0-9]{8}\.js$/);
    for (const [path, type] of [
      [paths.style, 'text/css; charset=utf-8'],
      [paths.script, /^(text|application)\/javascript; charset=utf-8$/],
    ] as const) {
      const answer = await get(path);
      expect(answer.statusCode).toBe(200);
      expect(answer.headers['content-type']).toMatch(type);
      expect(answer.headers['cache-control']).toBe('public, max-age=31536000, immutable');
      expect(answer.headers['x-content-type-options']).toBe('nosniff');
    }
  });

  it('leave the first view small', async () => {
    const [style, script] = [(await get(paths.style)).body, (await get(paths.script)).body];
    const size = (text: string): number => gzipSync(text).length;
    expect(size(script)).toBeLessThan(SCRIPT_MAX_BYTES);
    expect(size(page) + size(style) + size(script)).toBeLessThan(FIRST_VIEW_MAX_BYTES);
  });

  it('are all there is: no other file, no folder, no way out of it', async () => {
    for (const path of ['x.css', '', 'console.ts', '..%2f..%2fapi.js', '%00'])
      expect([400, 403, 404], path).toContain((await get(`/console/assets/${path}`)).statusCode);
  });
});
