import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventsPage } from '../../src/dev/events-page.js';
import { eventTypes } from '../../src/handlers/index.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const src = path.join(root, 'src');
const list = path.join(src, 'handlers', 'index.ts');
const madeUp = path.join(root, 'test', 'support', 'made-up-event.ts');
const type = 'CABINET_OPEN';

describe('an event type is one file and one line in the list', () => {
  let folder: string;
  const run = async (program: string, ...args: string[]): Promise<string> =>
    (await promisify(execFile)(process.execPath, [path.join(folder, `${program}.js`), ...args])).stdout;

  /** The product, built with one more event type. */
  beforeAll(async () => {
    mkdirSync(path.join(root, 'dist'), { recursive: true });
    folder = mkdtempSync(path.join(root, 'dist', '.made-up-'));
    await build({
      absWorkingDir: root,
      entryPoints: { cli: 'src/cli.ts', seen: 'test/support/made-up-seen.ts' },
      outdir: folder,
      bundle: true,
      splitting: true,
      format: 'esm',
      platform: 'node',
      target: 'node20',
      packages: 'external',
      logLevel: 'error',
      plugins: [oneLineMore],
    });
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('the registry, the console, the alerts and the docs know it', async () => {
    const seen = JSON.parse(await run('seen', type));
    expect(seen.registry).toBe(true);
    expect(seen.console.zh).toMatchObject({ name: '开柜', repeatable: true });
    expect(seen.console.en.ifNever).toBe('The diner cannot take the lunch out.');
    expect(seen.alert).toContain('开柜：失败');
    expect(seen.rules).toEqual({ lossCodes: ['BOX_EMPTY'] });
    expect(seen.docs).toContain('| `CABINET_OPEN` | Open a box | cabinet | Opens one box of a cabinet. |');
    expect(seen.docs).toContain('| `CABINET_OPEN` | any | refused: the lunch is inside | allowed |');
    expect(seen.docs).toContain('| `CABINET_OPEN` | 1 | `{"boxNo":"A1-7"}` |');
  });

  it('the command line lists it', async () => {
    expect(await run('cli', 'event-types')).toContain('CABINET_OPEN\tOpen a box\t');
  });
});

describe('the event types', () => {
  it('are each named in one place of the source', () => {
    const files = (readdirSync(src, { recursive: true }) as string[])
      .filter((file) => file.endsWith('.ts') && !file.startsWith(path.join('database', 'migrations')))
      .map((file) => ({ file, text: readFileSync(path.join(src, file), 'utf8') }));
    for (const { type: name } of eventTypes) {
      const named = files.filter(({ text }) => new RegExp(`['"\`]${name}['"\`]|\\b${name} --`).test(text));
      expect(
        named.map(({ file }) => file),
        name,
      ).toHaveLength(1);
    }
  });

  it('fit their own schemas, and are told apart', () => {
    for (const { type: name, schema, example } of eventTypes)
      expect(schema.safeParse(example).success, name).toBe(true);
    expect(new Set(eventTypes.map(({ type: name }) => name)).size).toBe(eventTypes.length);
  });

  it('stand in docs/events.md as their files say (npm run events)', () => {
    expect(readFileSync(path.join(root, 'docs', 'events.md'), 'utf8')).toBe(eventsPage(eventTypes));
  });
});

/** The list with one entry more, and its import. */
const oneLineMore = {
  name: 'one line more',
  setup(builder: import('esbuild').PluginBuild) {
    builder.onLoad({ filter: /handlers\/index\.ts$/ }, () => ({
      loader: 'ts' as const,
      contents: readFileSync(list, 'utf8')
        .replace(/^/, `import { madeUp } from '${madeUp}';\n`)
        .replace('  housekeeping,\n];', '  housekeeping,\n  madeUp,\n];'),
    }));
  },
};
