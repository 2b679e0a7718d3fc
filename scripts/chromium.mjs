// A headless Chromium for the browser's tests and screenshots: CHROMIUM, the PATH, or apt-get as root.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';

const names = ['chromium', 'chromium-browser', 'google-chrome'];
const packages = ['chromium', 'fonts-wqy-microhei'];

/** @returns {string} its path */
export function findChromium(log = console.error) {
  const found = process.env.CHROMIUM ?? onPath() ?? installed(log);
  if (found) return found;
  throw new Error(
    `Chromium is needed and could not be had.\nInstall it (Debian: apt-get install ${packages.join(' ')}), or name one: CHROMIUM=/path/to/chromium`,
  );
}

function onPath() {
  return (process.env.PATH ?? '')
    .split(':')
    .flatMap((directory) => names.map((name) => path.join(directory, name)))
    .find((file) => existsSync(file));
}

function installed(log) {
  if (process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get')) return undefined;
  log('installing Chromium with apt-get …');
  const quiet = { env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }, stdio: 'ignore' };
  spawnSync('apt-get', ['-q', 'update'], quiet);
  spawnSync('apt-get', ['-q', '-y', 'install', '--no-install-recommends', ...packages], quiet);
  return onPath();
}
