import type { Fault } from '../fault.js';
import type { Delivery } from '../misbehave.js';
import type { VendorRequest } from '../vendor.js';
import { alipayText, type PayerKeys, rsaSign, rsaVerify } from './sign.js';

export interface AlipaySecrets {
  readonly appId: string;
  readonly sellerId: string;
  readonly keys: PayerKeys;
}

/** Marks an answer of the payer's own, which it signs. It does not leave the model. */
export const OWN_WORD = 'x-own-word';
const SKEW_MS = 900_000;
const FIXED: Readonly<Record<string, string>> = {
  format: 'JSON',
  charset: 'utf-8',
  sign_type: 'RSA2',
  version: '1.0',
};

export function formOf(body: string): Record<string, string> {
  return Object.fromEntries(new URLSearchParams(body));
}

/** What is wrong with a request before anybody reads its content; undefined when nothing is. */
export function flawOfForm(request: VendorRequest, secrets: AlipaySecrets, now: number): string | undefined {
  const form = formOf(request.body);
  if (!(request.headers['content-type'] ?? '').startsWith('application/x-www-form-urlencoded'))
    return 'content-type';
  if ([...new URLSearchParams(request.body).keys()].length !== Object.keys(form).length)
    return 'a field twice';
  const wrong = Object.entries(FIXED).find(([name, value]) => form[name] !== value);
  if (wrong) return wrong[0];
  if (form.app_id !== secrets.appId) return 'app_id';
  if (!/^\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}$/.test(form.timestamp ?? '')) return 'timestamp';
  if (Math.abs(instantOf(form.timestamp ?? '') - now) > SKEW_MS) return 'timestamp';
  const isGenuine = rsaVerify(secrets.keys.merchant.publicKey, alipayText(form, ['sign']), form.sign ?? '');
  return isGenuine ? undefined : 'wrong signature';
}

/** `yyyy-MM-dd HH:mm:ss` in China. */
export const instantOf = (text: string): number => Date.parse(`${text.replace(' ', 'T')}+08:00`);
export const chinaTime = (ms: number): string =>
  new Date(ms + 8 * 3_600_000).toISOString().slice(0, 19).replace('T', ' ');

export const yuanOf = (cents: number): string => (cents / 100).toFixed(2);

/** Cents; null for what is no amount of money with two decimals. */
export function centsOf(yuan: unknown): number | null {
  const found = typeof yuan === 'string' ? /^(\d{1,8})\.(\d{2})$/.exec(yuan) : null;
  return found ? Number(found[1]) * 100 + Number(found[2]) : null;
}

/** Signs the member of the answer as it stands, nonsense, too, and puts the signature behind it. */
export function sealMember(delivery: Delivery, fault: Fault | undefined, keys: PayerKeys): Delivery {
  const { [OWN_WORD]: own, ...headers } = delivery.headers;
  const member = /^\{"\w+_response":/.exec(delivery.text);
  if (own === undefined || !member) return { ...delivery, headers };
  const answer = JSON.parse(delivery.text) as Record<string, unknown>;
  const name = member[0].slice(2, -2);
  const text = JSON.stringify(answer[name]);
  const form = fault?.kind === 'unsigned' ? fault.form : undefined;
  const key = form === 'other-key' ? keys.stranger.privateKey : keys.alipay.privateKey;
  const sign = form === 'empty' ? '' : rsaSign(key, form === 'other-body' ? `${text} ` : text);
  const signed = form === 'absent' ? '' : `,"sign":${JSON.stringify(sign)}`;
  return { ...delivery, headers, text: `${delivery.text.slice(0, -1)}${signed}}` };
}
