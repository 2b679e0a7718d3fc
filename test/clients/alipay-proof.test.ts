import { describe, expect, it } from 'vitest';
import { centsOf, instantOfChina, provenMember, yuanOf } from '../../src/clients/alipay-proof.js';
import { rsaSign } from '../../src/clients/payer-keys.js';
import { makeKeys } from '../vendors/payers/sign.js';

const { alipay, stranger } = makeKeys();
const NAME = 'alipay_trade_query_response';
const sign = (text: string, key = alipay.privateKey): string => rsaSign(key, text);
const proven = (text: string): string | null => provenMember(alipay.publicKey, text, NAME);

describe('an answer of Alipay is verified over the text of its member, as it stands', () => {
  it.each([
    ['plain', '{"code":"10000"}'],
    ['with spaces', '{ "code" : "10000" , "n": [1, {"a": "}"}] }'],
    ['with what looks like its end', String.raw`{"subject":"a}\",\"sign\":\"x\\","b":{"c":"]}"}}`],
    ['with escapes', String.raw`{"subject":"\u5348\u9910\/","x":"\\"}`],
    ['in Chinese', '{"sub_msg":"交易不存在"}'],
    ['with a sign of its own', '{"sign":"inner","code":"10000"}'],
    ['with a name twice inside', '{"code":"40004","code":"10000"}'],
  ])('%s', (_what, member) => {
    const signature = sign(member);
    expect(proven(`{"${NAME}":${member},"sign":"${signature}"}`)).toBe(member);
    expect(proven(`{"sign":"${signature}","${NAME}":${member}}`)).toBe(member);
    expect(proven(` {\n"${NAME}" :\t${member} ,\r\n "sign" : "${signature}" }\n`)).toBe(member);
    expect(proven(`{"${NAME}":${member},"sign":"${signature.replaceAll('/', '\\/')}"}`)).toBe(member);
    expect(proven(`{"${NAME}":${member},"alipay_cert_sn":"1","sign":"${signature}"}`)).toBe(member);
  });

  const member = '{"code":"10000"}';
  it.each([
    ['no signature', `{"${NAME}":${member}}`],
    ['an empty one', `{"${NAME}":${member},"sign":""}`],
    ['one that is no text', `{"${NAME}":${member},"sign":7}`],
    ["a stranger's", `{"${NAME}":${member},"sign":"${sign(member, stranger.privateKey)}"}`],
    ['the member twice', `{"${NAME}":{"code":"1"},"${NAME}":${member},"sign":"${sign(member)}"}`],
    ['the signature twice', `{"${NAME}":${member},"sign":"x","sign":"${sign(member)}"}`],
    ['another member', `{"alipay_trade_close_response":${member},"sign":"${sign(member)}"}`],
    ['something behind it', `{"${NAME}":${member},"sign":"${sign(member)}"}}`],
    ['something between', `{"${NAME}":${member} x,"sign":"${sign(member)}"}`],
    ['no end', `{"${NAME}":${member},"sign":"${sign(member)}"`],
    ['one space more', `{"${NAME}":{"code": "10000"},"sign":"${sign(member)}"}`],
    ['nothing', ''],
    ['an array', `[${member}]`],
  ])('%s proves nothing', (_what, text) => expect(proven(text)).toBeNull());
});

it('yuan and cents are each other', () => {
  for (const cents of [1, 10, 99, 100, 2300, 123_456_789]) expect(centsOf(yuanOf(cents))).toBe(cents);
  expect([centsOf('23'), centsOf('23.5'), centsOf('0.01')]).toEqual([2300, 2350, 1]);
  for (const wrong of ['', '1.234', '-1.00', '1e3', ' 1', '١', '1,00', '9'.repeat(10), 'NaN'])
    expect(centsOf(wrong)).toBeNull();
});

it('an instant in China is one, or none', () => {
  expect(instantOfChina('2026-11-24 12:00:00')?.toISOString()).toBe('2026-11-24T04:00:00.000Z');
  for (const wrong of [undefined, '', '2026-13-40 99:00:00', '2026-11-24T12:00:00Z'])
    expect(instantOfChina(wrong)).toBeNull();
});
