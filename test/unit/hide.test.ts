import { describe, expect, it } from 'vitest';
import { hider } from '../../src/base/hide.js';
import { notApplied, rejected, unknown } from '../../src/clients/outcome.js';
import { hideOf, screen, UNREADABLE_CODE } from '../../src/clients/screen.js';

const secret = 'Tok/en+with=signs&9';
const base64 = (text: string): string => Buffer.from(text).toString('base64');

describe('a text that must not be told', () => {
  const hide = hider([secret, '欧阳']);
  it.each([
    ['as it is', secret],
    ['in the other case', secret.toUpperCase()],
    ['in a URL', `https://x/y?key=${encodeURIComponent(secret)}&z=1`],
    ['in a URL, its escapes in small letters', encodeURIComponent(secret).toLowerCase()],
    ['in a form', new URLSearchParams({ v: secret }).toString()],
    ['in base64', base64(secret)],
    ['in base64 for URLs', Buffer.from(secret).toString('base64url')],
    ...['', 'a', 'ab', 'abc'].map((before) => [
      `in base64 behind ${before.length} bytes`,
      base64(`${before}${secret}${before}`),
    ]),
  ])('is hidden %s', (_how, text) => {
    const shown = hide(`before ${text} after`);
    expect(shown).toMatch(/^before .*\*\*\*.* after$/);
    for (const part of ['Tok', 'signs', encodeURIComponent('/en+'), base64(secret).slice(4, 12)])
      expect(shown.toLowerCase()).not.toContain(part.toLowerCase());
  });
  it('is hidden where JSON escapes it', () => {
    expect(hide('{"n":"\\u6b27\\u9633"}')).toBe('{"n":"***"}');
    expect(hider(['a"quoted"'])(JSON.stringify({ v: 'a"quoted"' }))).toBe('{"v":"***"}');
  });
  it('is left where it is no more than a part of words', () =>
    expect(hider(['ab', 'x', ''])('about x tables')).toBe('about x tables'));
  it('costs no more than so much for each character, however often it is there', () => {
    const counted = (n: number): number => hide(`${secret}Tok/en`.repeat(n)).length;
    expect([counted(10), counted(20), counted(40)]).toEqual([90, 180, 360]);
  });
});

describe('a vendor’s code and message', () => {
  const hide = hideOf(
    hider([secret, 'plain-secret']),
    {
      method: 'POST',
      path: '/x?signature=abcdef0123',
      headers: { 'X-Signature': 'feedbeef' },
      body: 'realName=Ann+Lee&email=ann%40example.com',
      isRead: false,
    },
    { requestId: 'r', traceparent: 't', about: ['欧阳'] },
  );
  it.each(['ORDER_CLOSED', 'HTTP_503', '40901', 'CODE_-1', '93000', 'ETIMEDOUT'])(
    'the code %s is kept',
    (code) => expect(screen(rejected(code, 'm'), hide)).toMatchObject({ code }),
  );
  it.each([
    'plain-secret',
    'x-PLAIN-SECRET-x',
    'CODE_13812349876',
    'ann@example.com',
    'a b',
    '\u001b[2J',
    '欧阳',
    'x'.repeat(61),
    '',
    'abcdef0123',
    'feedbeef',
  ])('the code %j is not shown', (code) =>
    expect(screen(unknown(code, 'm'), hide)).toMatchObject({ code: UNREADABLE_CODE }),
  );
  it('a message loses secrets, people and control characters, and has an end', () => {
    const said = `no ${secret} for Ann Lee <ann@example.com> and bob@example.com, 欧阳, 13812349876\u001b[2J\n\u202e${'x'.repeat(9_000)}`;
    const { message } = screen(notApplied('C', said), hide) as { message: string };
    expect(message).toMatch(
      /^no \*\*\* for \*\*\* <\*\*\*> and b\*\*\*@example\.com, \*\*\*, 1\*{10} \[2J x+…$/,
    );
    expect(Array.from(message)).toHaveLength(301);
  });
});
