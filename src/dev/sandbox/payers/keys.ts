import { createPublicKey, generateKeyPair, type KeyObject, randomBytes } from 'node:crypto';
import { promisify } from 'node:util';

const generate = promisify(generateKeyPair);

/** Everybody's keys, made at the sandbox's start: what they sign is good nowhere else. */
export interface PayerKeys {
  /** Lunchbox's own: it signs requests to both payers. */
  readonly merchant: KeyObject;
  readonly wechatPay: KeyObject;
  readonly alipay: KeyObject;
  readonly apiV3Key: string;
}

export const WECHATPAY = {
  mchId: '1900000001',
  appId: 'wx0000000000000001',
  serialNo: '5A0D00000000000000000000000000000000B0C5',
  platformSerial: 'PUB_KEY_ID_SANDBOX',
} as const;
export const ALIPAY = { appId: '2021000000000001', sellerId: '2088000000000001' } as const;

export async function makePayerKeys(): Promise<PayerKeys> {
  const make = async (): Promise<KeyObject> => (await generate('rsa', { modulusLength: 2_048 })).privateKey;
  const [merchant, wechatPay, alipay] = await Promise.all([make(), make(), make()]);
  return { merchant, wechatPay, alipay, apiV3Key: randomBytes(16).toString('hex') };
}

/** The settings that make a lunchbox pay at a sandbox at `url`. */
export function payerSettings(url: string, keys: PayerKeys) {
  const merchant = keys.merchant.export({ type: 'pkcs8', format: 'pem' }).toString();
  return {
    WECHATPAY_BASE_URL: `${url}/wechatpay`,
    WECHATPAY_MCH_ID: WECHATPAY.mchId,
    WECHATPAY_APP_ID: WECHATPAY.appId,
    WECHATPAY_SERIAL_NO: WECHATPAY.serialNo,
    WECHATPAY_PRIVATE_KEY: merchant,
    WECHATPAY_API_V3_KEY: keys.apiV3Key,
    WECHATPAY_PUBLIC_KEYS: { [WECHATPAY.platformSerial]: publicText(keys.wechatPay) },
    ALIPAY_BASE_URL: `${url}/alipay`,
    ALIPAY_APP_ID: ALIPAY.appId,
    ALIPAY_SELLER_ID: ALIPAY.sellerId,
    ALIPAY_PRIVATE_KEY: merchant,
    ALIPAY_PUBLIC_KEY: publicText(keys.alipay),
  };
}

const publicText = (key: KeyObject): string =>
  createPublicKey(key).export({ type: 'spki', format: 'pem' }).toString();
