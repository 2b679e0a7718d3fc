// The built programs with what they need from node_modules, in a few files instead of a thousand: a child process of a test then starts in half the time.
// The code is that of dist/, line for line. What reads files of its own package stays outside.
import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build, stop } from 'esbuild';

const root = fileURLToPath(new URL('../..', import.meta.url));
const dist = path.join(root, 'dist');
const packedFolder = path.join(dist, '.packed');
const programs = ['dist/cli.js', 'dist/api.js', 'dist/scheduler.js', 'test/support/crash-worker.mjs', 'test/support/prune-worker.mjs'];
const outside = ['@fastify/swagger', '@fastify/swagger-ui', 'libsql'];

/** Keeps `import.meta.url` true. */
const asInDist = {
  name: 'as in dist',
  setup(builder) {
    builder.onLoad({ filter: /\.m?js$/ }, async ({ path: file }) => {
      if (!file.startsWith(dist + path.sep)) return undefined;
      const text = await readFile(file, 'utf8');
      return { contents: text.replaceAll('import.meta.url', JSON.stringify(pathToFileURL(file).href)), loader: 'js' };
    });
  },
};

function isFresh() {
  try {
    const packedMs = Math.min(...programs.map((file) => statSync(packed(file)).mtimeMs));
    const sources = [path.join(dist, '.tsbuildinfo'), path.join(root, 'package-lock.json'), fileURLToPath(import.meta.url)];
    return sources.concat(programs).every((file) => statSync(path.resolve(root, file)).mtimeMs < packedMs);
  } catch {
    return false;
  }
}

/** Where a program lies when it is packed. */
export const packed = (file) => path.join(packedFolder, `${path.basename(file).replace(/\.m?js$/, '')}.mjs`);

/** Packs what was built since the last time. Another run may start these very files now, so that they are replaced as a whole. */
export async function ensurePacked() {
  if (isFresh()) return;
  const folder = mkdtempSync(path.join(dist, '.packing-'));
  await build({
    absWorkingDir: root,
    entryPoints: Object.fromEntries(programs.map((file) => [path.basename(packed(file), '.mjs'), file])),
    outdir: folder,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    logLevel: 'error',
    banner: { js: "import { createRequire as requireFrom } from 'node:module'; const require = requireFrom(import.meta.url);" },
    external: outside,
    plugins: [asInDist],
  });
  await stop(); // its helper process
  // The parts carry the hash of their text in their names; the programs, which name them, come last.
  mkdirSync(packedFolder, { recursive: true });
  for (const name of readdirSync(folder).sort((a, b) => Number(b.startsWith('chunk-')) - Number(a.startsWith('chunk-'))))
    renameSync(path.join(folder, name), path.join(packedFolder, name));
  rmSync(folder, { recursive: true });
}
