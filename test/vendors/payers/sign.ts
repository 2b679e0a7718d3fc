import {
  createCipheriv,
  createSign,
  createVerify,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
} from 'node:crypto';

/** base64(RSA-SHA256), the one signature of both payers. */
export function rsaSign(key: KeyObject, text: string): string {
  return createSign('RSA-SHA256').update(text, 'utf8').sign(key, 'base64');
}

export function rsaVerify(key: KeyObject, text: string, signature: string): boolean {
  return createVerify('RSA-SHA256').update(text, 'utf8').verify(key, signature, 'base64');
}

/** Over all fields but those named, sorted by name, `k=v` joined by `&`; empty values are left out. */
export function alipayText(fields: Readonly<Record<string, string>>, without: readonly string[]): string {
  return Object.keys(fields)
    .filter((name) => !without.includes(name) && fields[name] !== '')
    .sort()
    .map((name) => `${name}=${fields[name]}`)
    .join('&');
}

/** AES-256-GCM with the tag at the end, base64. */
export function encrypt(apiV3Key: string, text: string, nonce: string, associated: string): string {
  const cipher = createCipheriv('aes-256-gcm', Buffer.from(apiV3Key), Buffer.from(nonce));
  cipher.setAAD(Buffer.from(associated));
  return Buffer.concat([cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]).toString('base64');
}

interface KeyPair {
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

export interface PayerKeys {
  readonly merchant: KeyPair;
  readonly wechat: KeyPair;
  readonly alipay: KeyPair;
  readonly stranger: KeyPair;
  readonly apiV3Key: string;
}

/** New keys of everybody: nothing that is signed by them is good anywhere else. */
export function makeKeys(): PayerKeys {
  const pair = (): KeyPair => generateKeyPairSync('rsa', { modulusLength: 2048 });
  return {
    merchant: pair(),
    wechat: pair(),
    alipay: pair(),
    stranger: pair(),
    apiV3Key: randomBytes(16).toString('hex'),
  };
}

export const privatePem = (key: KeyObject): string => key.export({ type: 'pkcs8', format: 'pem' }).toString();
export const publicPem = (key: KeyObject): string => key.export({ type: 'spki', format: 'pem' }).toString();
