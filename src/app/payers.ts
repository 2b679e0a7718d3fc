import type { Hide } from '../base/hide.js';
import { AlipayClient } from '../clients/alipay.js';
import type { Payer, PayerType } from '../clients/payer.js';
import { WeChatPayClient } from '../clients/wechat-pay.js';
import { definedOnly } from './defined-only.js';
import { ALIPAY, WECHATPAY } from './payer-settings.js';
import type { Settings } from './settings.js';

type Given<K extends keyof Settings> = { [Key in K]: NonNullable<Settings[Key]> };

function allOf<K extends keyof Settings>(settings: Settings, keys: readonly K[]): Given<K> | null {
  return keys.every((key) => settings[key] !== undefined) ? (settings as Given<K>) : null;
}

/** The payers that are configured. */
export function createPayers(settings: Settings, hide: Hide): Partial<Record<PayerType, Payer>> {
  const common = { timeoutMs: settings.PAYER_TIMEOUT_MS, hide };
  const wechat = allOf(settings, WECHATPAY);
  const alipay = allOf(settings, ALIPAY);
  return {
    ...(wechat ? { wechat: weChatPayOf(wechat, settings, common) } : {}),
    ...(alipay ? { alipay: alipayOf(alipay, settings, common) } : {}),
  };
}

interface Common {
  readonly timeoutMs: number;
  readonly hide: Hide;
}

function weChatPayOf(given: Given<(typeof WECHATPAY)[number]>, settings: Settings, common: Common): Payer {
  return new WeChatPayClient({
    ...common,
    baseUrl: given.WECHATPAY_BASE_URL,
    mchId: given.WECHATPAY_MCH_ID,
    appId: given.WECHATPAY_APP_ID,
    serialNo: given.WECHATPAY_SERIAL_NO,
    privateKey: given.WECHATPAY_PRIVATE_KEY,
    apiV3Key: given.WECHATPAY_API_V3_KEY,
    publicKeys: given.WECHATPAY_PUBLIC_KEYS,
    skewMs: settings.NOTIFY_SKEW_MS,
    codes: definedOnly(settings.WECHATPAY_CODES ?? {}),
  });
}

function alipayOf(given: Given<(typeof ALIPAY)[number]>, settings: Settings, common: Common): Payer {
  return new AlipayClient({
    ...common,
    baseUrl: given.ALIPAY_BASE_URL,
    appId: given.ALIPAY_APP_ID,
    sellerId: given.ALIPAY_SELLER_ID,
    privateKey: given.ALIPAY_PRIVATE_KEY,
    publicKey: given.ALIPAY_PUBLIC_KEY,
    codes: definedOnly(settings.ALIPAY_CODES ?? {}),
  });
}
