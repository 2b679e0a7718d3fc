// The console's sheet and script for browsers: bundled and minified from src/console/assets/ into dist/console/assets/, each named by a
// hash of its content, so that browsers may keep it for ever.
import { rmSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildSync } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));

export function buildAssets() {
  const outdir = path.join(root, 'dist', 'console', 'assets');
  rmSync(outdir, { recursive: true, force: true }); // the server takes the one file of each kind that is there
  const folder = path.join(root, 'src', 'console', 'assets');
  buildSync({
    entryPoints: ['console.css', 'console.ts'].map((file) => path.join(folder, file)),
    tsconfig: path.join(folder, 'tsconfig.json'),
    outdir,
    entryNames: '[name]-[hash]',
    bundle: true,
    minify: true,
    format: 'iife',
    target: 'es2020',
    logLevel: 'warning',
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) buildAssets();
