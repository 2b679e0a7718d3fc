import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { root } from '../support/processes.js';

const pages = ['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md', 'CHANGELOG.md'].concat(
  readdirSync(path.join(root, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
);
const FOLDERS = ['', 'src', 'test'];
const textOf = (page: string): string => readFileSync(path.join(root, page), 'utf8');
const placeOf = (file: string): string | undefined =>
  FOLDERS.map((folder) => path.join(root, folder, file)).find((place) => existsSync(place));

describe.each(pages)('%s', (page) => {
  const text = textOf(page);

  it('names files of the project that exist', () => {
    const named = [...text.matchAll(/`([a-z][\w-]*(?:\/[\w.-]+)+\.(?:ts|mjs|sql|yml))`/g)].map(
      ([, file]) => file ?? '',
    );
    expect(named.filter((file) => !placeOf(file))).toEqual([]);
  });

  it('links to files that exist', () => {
    const links = [...text.matchAll(/\]\(([^)#\s]+)/g)].map(([, link]) => link ?? '');
    const local = links.filter((link) => !/^https?:/.test(link));
    expect(local.filter((link) => !existsSync(path.join(root, path.dirname(page), link)))).toEqual([]);
  });

  it('names functions that stand in the file before them', () => {
    const named = [...text.matchAll(/`([\w/-]+\.ts)` \(`(\w+)`/g)];
    const missing = named.filter(([, file = '', name = '']) => {
      const place = placeOf(file);
      return !place || !new RegExp(`\\b${name}\\b`).test(readFileSync(place, 'utf8'));
    });
    expect(missing.map(([all]) => all)).toEqual([]);
  });
});
