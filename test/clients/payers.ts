import { hider } from '../../src/base/hide.js';
import { AlipayClient } from '../../src/clients/alipay.js';
import type { Payer, PayerType } from '../../src/clients/payer.js';
import { WeChatPayClient } from '../../src/clients/wechat-pay.js';

const SKEW_MS = 300_000;
const pem = (text: string | undefined): string => (text ?? '').replaceAll('\\n', '\n');

/** Clients of both payers from settings by the names of the contract, as the environment has them. */
export function payersOf(
  settings: Readonly<Record<string, string>>,
  timeoutMs: number,
): Record<PayerType, Payer> {
  const of = (name: string): string => settings[name] ?? '';
  const hide = hider(['WECHATPAY_PRIVATE_KEY', 'WECHATPAY_API_V3_KEY', 'ALIPAY_PRIVATE_KEY'].map(of)); // all of both, as in production
  return {
    wechat: new WeChatPayClient({
      baseUrl: of('WECHATPAY_BASE_URL'),
      mchId: of('WECHATPAY_MCH_ID'),
      appId: of('WECHATPAY_APP_ID'),
      serialNo: of('WECHATPAY_SERIAL_NO'),
      privateKey: pem(settings.WECHATPAY_PRIVATE_KEY),
      apiV3Key: of('WECHATPAY_API_V3_KEY'),
      publicKeys: JSON.parse(of('WECHATPAY_PUBLIC_KEYS')) as Record<string, string>,
      codes: JSON.parse(settings.WECHATPAY_CODES ?? '{}') as object,
      timeoutMs,
      hide,
      skewMs: SKEW_MS,
    }),
    alipay: new AlipayClient({
      baseUrl: of('ALIPAY_BASE_URL'),
      appId: of('ALIPAY_APP_ID'),
      sellerId: of('ALIPAY_SELLER_ID'),
      privateKey: pem(settings.ALIPAY_PRIVATE_KEY),
      publicKey: pem(settings.ALIPAY_PUBLIC_KEY),
      timeoutMs,
      hide,
    }),
  };
}
