import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cutBytes, MARKDOWN_MAX_BYTES, wordAlert, wordCard, wordRecovery } from '../../src/alerts/word.js';
import { alertGroup as group } from '../support/alert-group.js';

const nameOf = () => '美餐下单';
const hostile = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 3000 }),
  fc.constantFrom(
    '<@all>',
    '<@zhangsan>',
    '[x](http://evil)',
    '<font color="info">x</font>',
    '# heading',
    '\n# heading',
    '`code`',
    '**bold**',
    'http://evil.example',
    '> quote\n> quote',
  ),
);

describe('the words of alerts', () => {
  it('stay within 4096 bytes of UTF-8, whatever comes from outside', () => {
    fc.assert(
      fc.property(hostile, hostile, (cause, no) => {
        const samples = Array.from({ length: 5 }, () => ({ eventId: '9', subjectNo: no }));
        expect(
          Buffer.byteLength(wordAlert(group({ cause }), samples, 'http://x', nameOf)),
        ).toBeLessThanOrEqual(MARKDOWN_MAX_BYTES);
        expect(Buffer.byteLength(wordRecovery(group({ cause }), 'http://x', nameOf))).toBeLessThanOrEqual(
          MARKDOWN_MAX_BYTES,
        );
      }),
    );
  });

  it('text from outside cannot mention, link, colour or head anything', () => {
    fc.assert(
      fc.property(hostile, (cause) => {
        const text = wordAlert(
          group({ cause }),
          [{ eventId: '9', subjectNo: cause.slice(0, 20) }],
          'http://ours',
          nameOf,
        );
        const outside = text
          .replace(/<font color="warning">|<\/font>/g, '')
          .replace('[查看事件](http://ours/console/events/9)', '');
        expect(outside).not.toMatch(/<|@|\]\(|\[|`|https?:\/\//);
        expect(text.split('\n').length).toBe(6);
        expect(text.split('\n').filter((line) => line.startsWith('#'))).toEqual([]);
      }),
    );
  });

  it('the diner’s card keeps WeCom’s limits for any dish', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (dishName) => {
        const card = wordCard(
          { orderNo: '202611230000001', dishName, edibleDate: '2026-11-23', mealType: 'LUNCH' },
          'http://x',
        );
        expect(Buffer.byteLength(card.title)).toBeLessThanOrEqual(128);
        expect(Buffer.byteLength(card.description)).toBeLessThanOrEqual(512);
        expect(Array.from(card.buttonText).length).toBeLessThanOrEqual(4);
      }),
    );
  });

  it('are cut between characters', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.integer({ min: 3, max: 40 }), (text, max) => {
        const cut = cutBytes(text, max);
        expect(Buffer.byteLength(cut)).toBeLessThanOrEqual(Math.max(max, 3));
        const characters = Array.from(text);
        const whole = Array.from(
          { length: characters.length },
          (_, kept) => `${characters.slice(0, kept).join('')}…`,
        );
        expect([text, ...whole]).toContain(cut);
      }),
    );
  });
});
