import { beforeAll, describe, expect, it } from 'vitest';
import type { NotificationReading, Payer } from '../../src/clients/payer.js';
import type { PayerName } from '../vendors/fault.js';
import { PayerBench } from '../vendors/payers/bench.js';
import { falseNotes } from '../vendors/payers/faults.js';
import type { Form, Note } from '../vendors/payers/notify.js';
import { settingsFor } from '../vendors/payers/serve.js';
import { alipayText, rsaSign } from '../vendors/payers/sign.js';
import { payersOf } from './payers.js';

const NO = 'W2026112400001';
let bench: PayerBench;
let clients: Record<PayerName, Payer>;

beforeAll(() => {
  bench = new PayerBench();
  bench.createWeChat(NO);
  bench.createAlipay(NO);
  bench.wechat.pay(NO);
  bench.alipay.pay(NO);
  clients = payersOf(settings(), 1_000);
});

const settings = (): Record<string, string> =>
  settingsFor({ wechat: 'http://127.0.0.1:9', alipay: 'http://127.0.0.1:9' }, bench.keys, {
    wechat: bench.wechat.options.secrets,
    alipay: bench.alipay.options.secrets,
  });

const at = (ms = 0): Date => new Date(bench.clock.now() + ms);
const read = (payer: PayerName, { headers, body }: Note, when = at(), client = clients[payer]) =>
  client.readNotification(headers, Buffer.from(body), when);
const note = (payer: PayerName, form: Form = 'genuine'): Note => bench[payer].note(NO, form);
const codeOf = (reading: NotificationReading): string =>
  reading.kind === 'genuine' ? 'genuine' : `${reading.kind} ${reading.code}`;

describe.each(['wechat', 'alipay'] as const)('a notification of %s', (payer) => {
  it('that is genuine tells everything that its taker compares', () => {
    const { secrets } = bench[payer].options;
    expect(read(payer, note(payer))).toEqual({
      kind: 'genuine',
      value: {
        notifyId: expect.any(String),
        paymentNo: NO,
        transactionNo: expect.any(String),
        isPaid: true,
        amountInCent: 2300,
        currency: 'CNY',
        merchant: 'mchId' in secrets ? secrets.mchId : secrets.sellerId,
        application: secrets.appId,
        seller: 'sellerId' in secrets ? secrets.sellerId : null,
        paidAt: new Date(bench.clock.now()),
      },
    });
  });

  it('has the same id each time it comes', () => {
    const ids = [1, 2]
      .map(() => read(payer, note(payer)))
      .map((reading) => reading.kind === 'genuine' && reading.value.notifyId);
    expect(new Set(ids).size).toBe(1);
  });

  it.each(falseNotes(payer))('%s is told from a genuine one', (form) => {
    const wanted: Partial<Record<Form, string>> = {
      'other-merchant': payer === 'wechat' ? 'foreign OTHER_MERCHANT' : 'foreign OTHER_SELLER',
      'other-application': 'foreign OTHER_APPLICATION',
      // Genuine as far as a client can tell: the taker compares the number, the amount and the currency.
      'other-amount': 'genuine',
      'other-currency': 'genuine',
      'unknown-payment': 'genuine',
      forged: 'refused FORGED',
      altered: 'refused FORGED',
      stale: 'refused STALE',
      'unknown-serial': 'refused UNKNOWN_SERIAL',
      probe: 'refused SIGNTEST',
      unsigned: 'refused UNSIGNED',
      unreadable: payer === 'wechat' ? 'refused UNREADABLE' : 'refused MALFORMED',
    };
    expect(codeOf(read(payer, note(payer, form)))).toBe(wanted[form]);
  });

  it.each([
    ['empty', ''],
    ['null', 'null'],
    ['a number', '7'],
    ['half', '{"id":'],
    ['a form', 'a=b'],
    ['bytes', '\u0000\uFFFD'],
  ])('whose body is %s is refused', (_what, body) => {
    expect(read(payer, { ...note(payer), body }).kind).toBe('refused');
  });

  it('is genuine in no other byte', () => {
    const { headers, body } = note(payer);
    for (const changed of [`${body} `, ` ${body}`, `${body}\n`, body.replace('2', '3'), `\uFEFF${body}`])
      expect(read(payer, { headers, body: changed }).kind, changed.slice(0, 20)).toBe('refused');
  });
});

describe('a notification of WeChat Pay', () => {
  it('is as old as the settings allow, and no older', () => {
    expect(read('wechat', note('wechat'), at(300_000)).kind).toBe('genuine');
    expect(codeOf(read('wechat', note('wechat'), at(301_000)))).toBe('refused STALE');
    expect(codeOf(read('wechat', note('wechat'), at(-301_000)))).toBe('refused STALE');
  });

  it.each(['timestamp', 'nonce', 'serial', 'signature'])('needs its %s', (name) => {
    const { headers, body } = note('wechat');
    for (const value of [undefined, ''])
      expect(
        codeOf(
          clients.wechat.readNotification(
            { ...headers, [`wechatpay-${name}`]: value },
            Buffer.from(body),
            at(),
          ),
        ),
      ).toBe('refused UNSIGNED');
  });

  it.each(['__proto__', 'constructor', 'toString', ' '])('finds no key under the serial "%s"', (serial) => {
    const { headers, body } = note('wechat');
    expect(codeOf(read('wechat', { headers: { ...headers, 'wechatpay-serial': serial }, body }))).toBe(
      'refused UNKNOWN_SERIAL',
    );
  });

  it('is not genuine when written anew, though it says the same', () => {
    const { headers, body } = note('wechat');
    const again = JSON.stringify(JSON.parse(body), null, 1);
    expect(codeOf(read('wechat', { headers, body: again }))).toBe('refused FORGED');
  });

  it('is never genuine without a key', () => {
    const none = payersOf({ ...settings(), WECHATPAY_PUBLIC_KEYS: '{}' }, 1).wechat;
    expect(codeOf(read('wechat', note('wechat'), at(), none))).toBe('refused UNKNOWN_SERIAL');
  });
});

describe('a notification of Alipay', () => {
  const signed = (change: (fields: Record<string, string>) => Record<string, string>): Note => {
    const fields = change(Object.fromEntries(new URLSearchParams(note('alipay').body)));
    const sign = rsaSign(bench.keys.alipay.privateKey, alipayText(fields, ['sign', 'sign_type']));
    return { headers: {}, body: new URLSearchParams({ ...fields, sign }).toString() };
  };

  it('is verified as RSA2, whatever it says of itself', () => {
    const { headers, body } = note('alipay');
    const claims = body.replace('sign_type=RSA2', 'sign_type=RSA');
    expect(claims).not.toBe(body);
    expect(read('alipay', { headers, body: claims }).kind).toBe('genuine');
  });

  it.each(['total_amount=0.01', 'out_trade_no=W1', 'sign=x', 'app_id=1', 'new=1'])(
    'with %s put behind it is refused',
    (more) => {
      const { headers, body } = note('alipay');
      expect(read('alipay', { headers, body: `${body}&${more}` }).kind).toBe('refused');
      expect(read('alipay', { headers, body: `${more}&${body}` }).kind).toBe('refused');
    },
  );

  it('in another character set, or of another kind, is refused', () => {
    expect(
      codeOf(
        read(
          'alipay',
          signed((fields) => ({ ...fields, charset: 'GBK' })),
        ),
      ),
    ).toBe('refused OTHER_CHARSET');
    expect(
      codeOf(
        read(
          'alipay',
          signed((fields) => ({ ...fields, notify_type: 'other' })),
        ),
      ),
    ).toBe('refused MALFORMED');
  });

  it('that tells of a refund, or of a trade not paid, is genuine, and not paid', () => {
    const reading = read(
      'alipay',
      signed((fields) => ({ ...fields, trade_status: 'TRADE_CLOSED' })),
    );
    expect(reading.kind === 'genuine' && reading.value.isPaid).toBe(false);
  });
});
