import { createDecipheriv, type KeyObject } from 'node:crypto';
import { rsaSign, rsaVerify } from './payer-keys.js';

export interface WeChatPayKeys {
  readonly mchId: string;
  /** Of the merchant's certificate. */
  readonly serialNo: string;
  readonly privateKey: KeyObject;
  /** By serial number, or `PUB_KEY_ID_…`. */
  readonly publicKeys: ReadonlyMap<string, KeyObject>;
  /** 32 bytes. */
  readonly apiV3Key: string;
  /** How old, or how far ahead, a signature may be. Milliseconds. */
  readonly skewMs: number;
}

export interface Asked {
  readonly method: string;
  /** As the server sees it, query included. */
  readonly path: string;
  readonly body: string;
  readonly nowMs: number;
  readonly nonce: string;
}

export function authorizationOf(keys: WeChatPayKeys, asked: Asked): { header: string; signature: string } {
  const timestamp = String(Math.floor(asked.nowMs / 1000));
  const text = `${asked.method}\n${asked.path}\n${timestamp}\n${asked.nonce}\n${asked.body}\n`;
  const signature = rsaSign(keys.privateKey, text);
  const parts = {
    mchid: keys.mchId,
    nonce_str: asked.nonce,
    signature,
    timestamp,
    serial_no: keys.serialNo,
  };
  const written = Object.entries(parts).map(([name, value]) => `${name}="${value}"`);
  return { header: `WECHATPAY2-SHA256-RSA2048 ${written.join(',')}`, signature };
}

/** A signature that begins so is a probe: whoever takes it for a true one verifies nothing. */
const PROBE = 'WECHATPAY/SIGNTEST/';
const SECONDS = /^\d{1,12}$/;

export interface Proof {
  readonly code: 'UNSIGNED' | 'SIGNTEST' | 'STALE' | 'UNKNOWN_SERIAL' | 'FORGED';
  readonly message: string;
}

/** What is wrong with the signature over `body`, byte for byte as it came; null when it is genuine. The names of `headers` are in lower case. */
export function flawOfProof(
  keys: WeChatPayKeys,
  headers: Readonly<Record<string, unknown>>,
  body: Buffer,
  nowMs: number,
): Proof | null {
  const of = (name: string): string => {
    const value = headers[`wechatpay-${name}`];
    return typeof value === 'string' ? value : '';
  };
  const [timestamp, nonce, serial, signature] = [of('timestamp'), of('nonce'), of('serial'), of('signature')];
  if (!timestamp || !nonce || !serial || !signature)
    return { code: 'UNSIGNED', message: 'a Wechatpay header is missing' };
  if (signature.startsWith(PROBE)) return { code: 'SIGNTEST', message: 'a probe, not a signature' };
  if (!SECONDS.test(timestamp) || Math.abs(nowMs - Number(timestamp) * 1000) > keys.skewMs)
    return { code: 'STALE', message: 'the signature is of another time' };
  const key = keys.publicKeys.get(serial);
  if (!key) return { code: 'UNKNOWN_SERIAL', message: 'no key of the settings has this serial' };
  const signed = Buffer.concat([Buffer.from(`${timestamp}\n${nonce}\n`), body, Buffer.from('\n')]);
  return rsaVerify(key, signed, signature)
    ? null
    : { code: 'FORGED', message: 'the signature is not of this body by this key' };
}

const TAG_BYTES = 16;

/** AES-256-GCM, the tag at the end; null for what was not encrypted with our key. */
export function decrypt(
  apiV3Key: string,
  resource: { ciphertext: string; nonce: string; associated_data?: string | null | undefined },
): string | null {
  const bytes = Buffer.from(resource.ciphertext, 'base64');
  if (bytes.length <= TAG_BYTES || resource.nonce === '') return null;
  const options = { authTagLength: TAG_BYTES };
  try {
    const decipher = createDecipheriv('aes-256-gcm', apiV3Key, resource.nonce, options);
    decipher.setAAD(Buffer.from(resource.associated_data ?? ''));
    decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
    return `${decipher.update(bytes.subarray(0, -TAG_BYTES)).toString('utf8')}${decipher.final('utf8')}`;
  } catch {
    return null;
  }
}
