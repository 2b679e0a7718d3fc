import { readFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Crowd } from '../lies/crowd.js';
import { Shop } from '../lies/shop.js';
import { alone, isSampled, nameOf, PAIRS, SINGLES, STUBBORN } from '../lies/singles.js';
import { rowOf, withoutAnswers, withTable } from '../lies/table.js';
import { emptyDatabase } from '../support/databases.js';

/**
 * Whatever a vendor does: at rest the books agree, or the order is named to a person. The vendors are those of test/vendors, which were written from their contract alone.
 * Every fault on every call of an order's story, and a sample of the pairs on two different calls; `npm run test:lies` runs all pairs.
 * What a single fault leads to is written in docs/lies.md (LIES_WRITE=1 writes it), and compared here.
 */
const AT_ONCE = 5;
const SAMPLE = 60;
const table = new URL('../../docs/lies.md', import.meta.url);
const pairs = PAIRS.filter((_pair, n) => isSampled(n, SAMPLE / PAIRS.length));

describe('whatever a vendor does, the books agree or the order is named', () => {
  let crowd: Crowd;
  beforeAll(async () => {
    crowd = await Crowd.open(AT_ONCE, async () => Shop.open(await emptyDatabase('sqlite')));
  });
  afterAll(() => crowd.close());

  const rows = new Map<string, string>();

  describe.concurrent('one fault', () => {
    it.each(SINGLES.map((fault) => [nameOf([fault]), fault] as const))('%s', async (name, fault) => {
      const told = await crowd.tell(alone(fault));
      rows.set(name, rowOf(fault, told));
      expect(told.violations).toEqual([]);
    });
  });

  it('docs/lies.md tells what each of them leads to', () => {
    if (rows.size < SINGLES.length) return; // only some were run
    const text = readFileSync(table, 'utf8');
    const wanted = withTable(
      text,
      SINGLES.map((fault) => rows.get(nameOf([fault])) ?? ''),
    );
    if (process.env.LIES_WRITE) writeFileSync(table, wanted);
    expect(withoutAnswers(readFileSync(table, 'utf8'))).toBe(withoutAnswers(wanted));
  });

  describe.concurrent('a question that fails four times errors nothing', () => {
    it.each(STUBBORN.map((faults) => [nameOf(faults.slice(0, 2)), faults] as const))(
      '%s',
      async (_name, faults) => {
        const { named, violations } = await crowd.tell(faults);
        expect([named, ...violations]).toEqual(['no']);
      },
    );
  });

  describe.concurrent('two faults', () => {
    it.each(pairs.map((pair) => [nameOf(pair), pair] as const))('%s', async (_name, pair) => {
      expect((await crowd.tell(pair)).violations).toEqual([]);
    });
  });
});
