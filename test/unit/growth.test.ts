import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { plain } from '../../src/alerts/word.js';
import { plainError } from '../../src/app/logging.js';
import { isPersonId } from '../../src/base/caller.js';
import { hider } from '../../src/base/hide.js';
import { limitSide, redact, redactSide } from '../../src/base/redact.js';
import { cutCharacters } from '../../src/base/text.js';
import { childTraceparent } from '../../src/base/trace.js';
import { readAlipayNotification } from '../../src/clients/alipay-notification.js';
import { centsOf, instantOfChina, provenMember } from '../../src/clients/alipay-proof.js';
import { hidePayerFields } from '../../src/clients/payer-hide.js';
import { isOwnForm, isOwnOrigin, languageOf, visitorOf } from '../../src/console/session.js';
import { createAuthenticate } from '../../src/http/auth.js';
import { decodeCursor } from '../../src/http/cursor.js';
import { idempotencyKey } from '../../src/http/request.js';
import { day, email, id, instant, reason, shortText, userId } from '../../src/http/schemas.js';
import { causeOf } from '../../src/outbox/cause.js';

/** Characters: beyond every limit at which a text is cut. */
const SHORT = 32_000;
const REPEATS = 3;
const LOOKS = 4;
/** Four times the text: four times the work when it is linear, sixteen times when it is quadratic. */
const GROWTH_MAX = 9;
/** Microseconds of processor time for all repeats: less is no growth to speak of, since a quadratic pattern takes seconds for the longer text. */
const NOTHING_US = 150_000;

const fill = (piece: string) => (length: number) =>
  piece.repeat(Math.ceil(length / piece.length)).slice(0, length);
/** Each makes another careless pattern try again at every character. */
const hostile = {
  'one long word': fill('a'),
  'a word of e-mail signs': fill('a.b+c%'),
  'many signs': fill('@'),
  'many escaped signs': fill('%40'),
  'half addresses': fill('a@'),
  'hex digits': (length: number) => `${fill('deadbeef')(length)}g`,
  'uuid beginnings': fill('deadbeef-'),
  digits: fill('13812345678'),
  'digits with signs': fill('138-'),
  'open fields': fill('"key":"'),
  'open escaped fields': fill('"key":"\\'),
  'backslashes in a field': (length: number) => `"secret":"${fill('\\')(length)}`,
  'a field name and spaces': (length: number) => `"secret"${fill(' ')(length)}x`,
  'form fields': fill('&key='),
  'open tags': fill('<'),
  'spaces around': (length: number) => `x${fill(' ')(length)}x`,
  'replacement characters': fill('\uFFFD'),
  'duplicate entries': fill("Duplicate entry '"),
  dots: fill('.'),
  zeros: fill('0'),
  cookies: fill('a=b;'),
  'token parts': fill('ey-'),
} as const;

const headers = (given: Record<string, string>) => ({ headers: given, body: { form: given.form } }) as never;
const refused = (work: () => unknown): void => {
  try {
    work();
  } catch {}
};
const readers: Record<string, (text: string) => unknown> = {
  redact: (text) => redact(text, ['a-secret-of-ours']),
  redactSide: (text) => redactSide(text, hider(['a-secret-of-ours'])),
  limitSide: (text) => limitSide(text),
  'a reason': (text) => reason.safeParse(text),
  'a short text': (text) => shortText(64).safeParse(text),
  'an id': (text) => id.safeParse(text),
  'a day': (text) => day.safeParse(text),
  'an instant': (text) => instant.safeParse(text),
  'a cause': (text) => causeOf('TYPE', { outcome: 'unknown', code: 'CODE', message: text }),
  'an alert': (text) => plain(text.slice(0, 4_000)),
  'a cut': (text) => cutCharacters(text, 100),
  'an error in the log': (text) => plainError(new Error(text)),
  'a traceparent': (text) => childTraceparent(text),
  'a cursor': (text) => refused(() => decodeCursor(Buffer.from(`v1:${text}`).toString('base64url'))),
  'an idempotency key': (text) => refused(() => idempotencyKey(headers({ 'idempotency-key': text }))),
  'a language': (text) => languageOf(headers({ 'accept-language': text, cookie: text })),
  'a form': (text) =>
    isOwnForm(headers({ form: text }), 'x') || isOwnOrigin(headers({ origin: text, host: text })),
  'the id of a person': (text) => isPersonId(text) || userId.safeParse(text),
  'an e-mail': (text) => email.safeParse(text),
  'a session': (text) =>
    visitorOf(
      headers({ cookie: `lunchbox_session=${text}` }),
      createAuthenticate({ secret: undefined, jwksUrl: undefined }),
      async () => false,
    ),
  'a token': (text) =>
    createAuthenticate({ secret: undefined, jwksUrl: undefined })(`Bearer ${text}`, '192.0.2.1').catch(
      () => null,
    ),
};

const someKey = generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey;
const alipay = { appId: 'a', sellerId: 's', publicKey: someKey };
Object.assign(readers, {
  'the fields of a payer': (text: string) => hidePayerFields(text),
  'an answer of Alipay': (text: string) => {
    provenMember(someKey, `{"x":"${text}`, 'x');
    provenMember(someKey, `{"x":${text}`, 'x');
    provenMember(someKey, `{${text}`, 'x');
  },
  'a notification of Alipay': (text: string) => readAlipayNotification(alipay, Buffer.from(text)),
  'an amount or instant of Alipay': (text: string) => [centsOf(text), instantOfChina(text)],
});

/** Processor time of this process, the least of several looks: what else runs on the machine is left out. */
function work(read: (text: string) => unknown, text: string): number {
  let least = Number.POSITIVE_INFINITY;
  for (let look = 0; look < LOOKS; look++) {
    const before = process.cpuUsage();
    for (let i = 0; i < REPEATS; i++) read(`${text}${look}${i}`); // never the same text: the engine remembers results
    const { user, system } = process.cpuUsage(before);
    least = Math.min(least, user + system);
    if (least > 2_000_000) break; // nobody needs to see that five times
  }
  return least;
}

describe('four times the text from outside is no more than four times the work', () => {
  it.each(Object.keys(readers))('%s', (name) => {
    const read = readers[name] as (text: string) => unknown;
    for (const [what, make] of Object.entries(hostile)) {
      for (const text of [make(100), make(SHORT)]) read(text); // compiled before it is measured
      const short = work(read, make(SHORT));
      const long = work(read, make(4 * SHORT));
      expect(long / Math.max(short, NOTHING_US / 4), `${what}: ${short} µs, then ${long} µs`).toBeLessThan(
        GROWTH_MAX,
      );
    }
  });
});
