import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { GroupState } from '../../src/alerts/group.js';
import { suppliedViews } from '../../src/console/events/filter.js';
import { words } from '../../src/console/locales/words.js';
import { eventStates } from '../../src/operate/filter.js';
import type { Heartbeat } from '../../src/operate/health.js';

const folder = fileURLToPath(new URL('../../src/console', import.meta.url));
const pages = (readdirSync(folder, { recursive: true }) as string[])
  .filter((file) => file.endsWith('.ts') && !/^(assets|locales)\//.test(file))
  .map((file) => readFileSync(path.join(folder, file), 'utf8'))
  .join('\n');

/** `w.name`, `visitor.words.name`, `words[language].name`. */
const named = [...pages.matchAll(/\b(?:w|words(?:\[(?:[^[\]]|\[[^\]]*\])*\])?)\.([a-z]\w*)\b(?!')/g)].map(
  (match) => match[1] ?? '',
);
/** `w[state]`: the states of events, causes and processes, and the supplied views. */
const chosen = [
  ...eventStates,
  ...(['open', 'known', 'regressed', 'recovered'] satisfies GroupState[]),
  ...(['alive', 'lost', 'ended'] satisfies Heartbeat['state'][]),
  ...suppliedViews(new Date()).map(({ name }) => name),
];

describe('the words of the console', () => {
  it('are all on a page, in both languages', () => {
    expect(named.length).toBeGreaterThan(300);
    for (const language of ['zh', 'en'] as const)
      expect(Object.keys(words[language]).filter((name) => ![...named, ...chosen].includes(name))).toEqual(
        [],
      );
  });

  it('are there, whatever a page asks for', () => {
    for (const language of ['zh', 'en'] as const)
      expect([...named, ...chosen].filter((name) => !Object.hasOwn(words[language], name))).toEqual([]);
  });
});
