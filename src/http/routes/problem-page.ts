import { readFileSync } from 'node:fs';
import type { FastifyPluginAsync } from 'fastify';
import { escapeHtml } from '../../base/text.js';

const file = new URL('../../../docs/problems.md', import.meta.url);

/** What the `type` of an error leads to: docs/problems.md, line by line, each code an anchor. It says nothing that a stranger may not know. */
export const problemPage: FastifyPluginAsync = async (app) => {
  const body = readFileSync(file, 'utf8')
    .split('\n')
    .map((line) => {
      const codes = line.startsWith('| `')
        ? [...(line.split('|')[1] ?? '').matchAll(/`([a-z-]+)`/g)].map((match) => match[1] ?? '')
        : [];
      return `${codes.map((code) => `<a id="${code}"></a>`).join('')}${escapeHtml(line)}`;
    })
    .join('\n');
  app.get('/docs/problems', { schema: { hide: true } }, async (_request, reply) =>
    reply
      .header('Content-Security-Policy', "default-src 'none'; frame-ancestors 'none'")
      .type('text/html; charset=utf-8')
      .send(
        `<!doctype html><html lang="en"><meta charset="utf-8"><title>Problems</title><pre>${body}</pre></html>`,
      ),
  );
};
