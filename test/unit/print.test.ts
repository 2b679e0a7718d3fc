import { afterEach, describe, expect, it, vi } from 'vitest';
import { out, outLine, ownLines, printable, row } from '../../src/cli/print.js';

const nasty = 'a\u001b[31mred\u0007\n7\trow\u202egnp\u2066x\u0085y\u2028z\u200bw\ufeff\ud800!';

describe('what the command line prints', () => {
  const written: string[] = [];
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => written.push(String(text)) > 0);
  afterEach(() => written.splice(0));

  it('has no sign in it that a terminal acts on, and stays one line', () =>
    expect(printable(nasty)).toBe(
      'a\\u001b[31mred\\u0007\\n7\\trow\\u202egnp\\u2066x\\u0085y\\u2028z\\u200bw\\ufeff\\ud800!',
    ));

  it('leaves every writing as it is', () =>
    expect(printable('宫保鸡丁 · Ünïcödé · 🍱')).toBe('宫保鸡丁 · Ünïcödé · 🍱'));

  it('a cell of a table begins no other cell and no other line', () => {
    row('1', 'requeue', 'why\n2\tdiscard');
    expect(written).toEqual(['1\trequeue\twhy\\n2\\tdiscard\n']);
  });

  it('JSON says the same, in signs that nothing acts on', () => {
    out({ reason: nasty });
    outLine({ reason: nasty });
    for (const text of written) {
      expect(JSON.parse(text)).toEqual({ reason: nasty });
      expect(text).not.toMatch(/[\p{Cf}\p{Zl}\p{Zp}\u0080-\u009f\u007f]/u);
    }
    expect(written[1]?.split('\n')).toHaveLength(2);
  });

  it('our own lines stay lines', () => expect(ownLines('usage:\n  \u001b[2J')).toBe('usage:\n  \\u001b[2J'));
});
