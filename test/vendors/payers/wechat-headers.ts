import type { Fault, Unsigned } from '../fault.js';
import type { Delivery } from '../misbehave.js';
import type { VendorRequest } from '../vendor.js';
import { type PayerKeys, rsaSign, rsaVerify } from './sign.js';

export interface WeChatSecrets {
  readonly mchId: string;
  readonly appId: string;
  readonly serialNo: string;
  readonly platformSerial: string;
  readonly keys: PayerKeys;
}

const SKEW_S = 300;
const SCHEME = 'WECHATPAY2-SHA256-RSA2048 ';
/** Marks an answer of the payer's own, which it signs; a gateway's is not signed. It does not leave the model. */
export const OWN_WORD = 'x-own-word';

/** What is wrong with the proof of a request; undefined when nothing is. */
export function flawOfRequest(
  request: VendorRequest,
  { secrets, basePath, now }: { secrets: WeChatSecrets; basePath: string; now: number },
): string | undefined {
  const header = request.headers.authorization ?? '';
  if (!header.startsWith(SCHEME)) return 'scheme';
  const parts = Object.fromEntries(
    header
      .slice(SCHEME.length)
      .split(',')
      .map((part) => /^\s*(\w+)="([^"]*)"\s*$/.exec(part))
      .map((found) => [found?.[1] ?? '', found?.[2] ?? '']),
  ) as Record<string, string>;
  const { mchid, nonce_str: nonce, signature, timestamp, serial_no: serial } = parts;
  if (!nonce || !signature || !timestamp) return 'a part is missing';
  if (mchid !== secrets.mchId || serial !== secrets.serialNo) return 'another merchant';
  if (!/^\d{10}$/.test(timestamp) || Math.abs(now / 1000 - Number(timestamp)) > SKEW_S) return 'timestamp';
  const text = `${request.method}\n${basePath}${request.path}\n${timestamp}\n${nonce}\n${request.body}\n`;
  return rsaVerify(secrets.keys.merchant.publicKey, text, signature) ? undefined : 'wrong signature';
}

/** The headers that prove a text: of an answer, or of a notification. */
export function proofOf(text: string, secrets: WeChatSecrets, atMs: number): Record<string, string> {
  const [timestamp, nonce] = [String(Math.floor(atMs / 1000)), `nonce${atMs}`];
  return {
    'wechatpay-timestamp': timestamp,
    'wechatpay-nonce': nonce,
    'wechatpay-serial': secrets.platformSerial,
    'wechatpay-signature': rsaSign(secrets.keys.wechat.privateKey, `${timestamp}\n${nonce}\n${text}\n`),
  };
}

/** Signs what the payer itself says, as it says it: nonsense, too. */
export function sealAnswer(
  delivery: Delivery,
  fault: Fault | undefined,
  secrets: WeChatSecrets,
  now: number,
): Delivery {
  const { [OWN_WORD]: own, ...headers } = delivery.headers;
  if (own === undefined) return { ...delivery, headers };
  const proof = proofOf(delivery.text, secrets, now);
  const spoilt = fault?.kind === 'unsigned' ? spoil(proof, fault.form, delivery.text, secrets, now) : proof;
  return { ...delivery, headers: { ...headers, ...spoilt } };
}

function spoil(
  proof: Record<string, string>,
  form: Unsigned,
  text: string,
  secrets: WeChatSecrets,
  now: number,
): Record<string, string> {
  const { 'wechatpay-signature': signature, ...rest } = proof;
  const strange = (serial: string): Record<string, string> => ({
    ...rest,
    'wechatpay-serial': serial,
    'wechatpay-signature': rsaSign(
      secrets.keys.stranger.privateKey,
      `${rest['wechatpay-timestamp']}\n${rest['wechatpay-nonce']}\n${text}\n`,
    ),
  });
  switch (form) {
    case 'absent':
      return {};
    case 'empty':
      return { ...rest, 'wechatpay-signature': '' };
    case 'other-key':
      return strange(secrets.platformSerial);
    case 'unknown-serial':
      return strange('PUB_KEY_ID_OF_NOBODY');
    case 'other-body':
      return proofOf(`${text} `, secrets, now);
    case 'probe':
      return { ...rest, 'wechatpay-signature': `WECHATPAY/SIGNTEST/${signature}` };
  }
}
