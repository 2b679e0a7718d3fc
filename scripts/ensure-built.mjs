// Compiles src/ into dist/, the console's sheet and script included, when dist/ is missing or older than any source.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, statSync, utimesSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

function newest(directory) {
  return Math.max(
    ...readdirSync(directory, { withFileTypes: true }).map((entry) =>
      entry.isDirectory()
        ? newest(path.join(directory, entry.name))
        : statSync(path.join(directory, entry.name)).mtimeMs,
    ),
  );
}

export function ensureBuilt() {
  const stamp = path.join(root, 'dist', '.tsbuildinfo');
  const assets = path.join(root, 'dist', 'console', 'assets');
  if (existsSync(assets) && existsSync(stamp) && statSync(stamp).mtimeMs > newest(path.join(root, 'src')))
    return;
  const tsc = path.join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  if (!existsSync(tsc)) return; // installed without development packages: dist/ came along
  const built = spawnSync(process.execPath, [tsc, '-p', path.join(root, 'tsconfig.build.json')], {
    stdio: 'inherit',
    cwd: root,
  });
  if (built.status !== 0) process.exit(built.status ?? 1);
  const script = fileURLToPath(new URL('./build-assets.mjs', import.meta.url));
  const bundled = spawnSync(process.execPath, [script], { stdio: 'inherit', cwd: root });
  if (bundled.status !== 0) process.exit(bundled.status ?? 1);
  utimesSync(stamp, new Date(), new Date());
}
