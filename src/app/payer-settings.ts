import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { rsaPrivateKey, rsaPublicKey } from '../clients/payer-keys.js';

const API_V3_KEY_BYTES = 32;

/** A key as text, in which `\n` may stand for the end of a line, or `@/path` of a file that holds it. `check` throws where it is none. */
function key(check: (text: string) => unknown, rule: string) {
  return z.string().transform((value, context) => {
    try {
      const text = value.startsWith('@/') ? readFileSync(value.slice(1), 'utf8').trim() : value;
      const whole = text.replaceAll('\\n', '\n');
      check(whole);
      return whole;
    } catch (error) {
      const { code, path } = error as NodeJS.ErrnoException;
      context.addIssue(`${rule}${path === undefined ? '' : `; ${path}: ${code}`}`);
      return z.NEVER;
    }
  });
}

const AS = 'as PEM text or @/path/of/a/file';
export const rsaPrivateText = key(rsaPrivateKey, `an RSA private key of at least 2048 bits, ${AS}`);
export const rsaPublicText = key(
  rsaPublicKey,
  `an RSA public key of at least 2048 bits, or its certificate, ${AS}`,
);
export const apiV3Key = key((text) => {
  if (Buffer.byteLength(text) !== API_V3_KEY_BYTES) throw new Error('another length');
}, `${API_V3_KEY_BYTES} bytes, or @/path/of/a/file`);

const codes = z.array(z.string().min(1));
export const weChatPayCodeLists = z
  .strictObject({ paid: codes, closed: codes, none: codes, notYet: codes, doubt: codes, tooFast: codes })
  .partial();
export const alipayCodeLists = z.strictObject({ none: codes, ended: codes, paid: codes }).partial();

export const WECHATPAY = [
  'WECHATPAY_BASE_URL',
  'WECHATPAY_MCH_ID',
  'WECHATPAY_APP_ID',
  'WECHATPAY_SERIAL_NO',
  'WECHATPAY_PRIVATE_KEY',
  'WECHATPAY_API_V3_KEY',
  'WECHATPAY_PUBLIC_KEYS',
] as const;
export const ALIPAY = [
  'ALIPAY_BASE_URL',
  'ALIPAY_APP_ID',
  'ALIPAY_SELLER_ID',
  'ALIPAY_PRIVATE_KEY',
  'ALIPAY_PUBLIC_KEY',
] as const;

/** All of one payer, or none. */
export function halfPayers(isSet: (key: string) => boolean): string[] {
  return [WECHATPAY, ALIPAY].flatMap((keys) => {
    const missing = keys.filter((key) => !isSet(key));
    if (missing.length === 0 || missing.length === keys.length) return [];
    return missing.map((key) => `${key}: missing; a payer needs all of ${keys.join(', ')}, or none`);
  });
}
