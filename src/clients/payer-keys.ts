import { createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto';

const RSA_BITS_MIN = 2_048;
const SIGNATURE_MAX = 2_048;
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;

/** Throws where the text is no RSA private key of at least 2,048 bits. */
export function rsaPrivateKey(pem: string): KeyObject {
  return checked(createPrivateKey(pem));
}

/** The same for a public key, or the certificate that holds it. */
export function rsaPublicKey(pem: string): KeyObject {
  if (pem.includes('PRIVATE KEY')) throw new Error('a private key where a public one belongs');
  return checked(createPublicKey(pem));
}

function checked(key: KeyObject): KeyObject {
  const bits = key.asymmetricKeyDetails?.modulusLength ?? 0;
  if (key.asymmetricKeyType !== 'rsa' || bits < RSA_BITS_MIN)
    throw new Error(`not an RSA key of at least ${RSA_BITS_MIN} bits`);
  return key;
}

/** base64(RSA-SHA256), the signature of both payers. */
export function rsaSign(key: KeyObject, text: string): string {
  return sign('sha256', Buffer.from(text), key).toString('base64');
}

/** The hash is ours to choose, never the message's; without a key, or without a signature, nothing is genuine. */
export function rsaVerify(key: KeyObject | undefined, bytes: Buffer, signature: string | undefined): boolean {
  if (!key || !signature || signature.length > SIGNATURE_MAX || !BASE64.test(signature)) return false;
  return verify('sha256', bytes, key, Buffer.from(signature, 'base64'));
}
