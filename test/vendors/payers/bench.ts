import { StandingClock } from '../bench.js';
import type { Fault } from '../fault.js';
import type { VendorAnswer } from '../vendor.js';
import { Alipay, type AlipayOptions } from './alipay.js';
import { chinaTime } from './alipay-form.js';
import type { Note } from './notify.js';
import { alipayText, makeKeys, type PayerKeys, rsaSign } from './sign.js';
import { WeChatPay, type WeChatPayOptions } from './wechat.js';
import { rfc3339 } from './wechat-note.js';

let keys: PayerKeys | undefined;
/** Made once: that takes a tenth of a second. */
function commonKeys(): PayerKeys {
  keys ??= makeKeys();
  return keys;
}

const WECHAT = { mchId: '1900000109', appId: 'wxd678', serialNo: '5157F0', platformSerial: 'PUB_KEY_ID_1' };
const ALIPAY = { appId: '20140723', sellerId: '20881011' };
export const WINDOW_MS = 900_000;

/** Both payers on one clock that is moved by hand, with a merchant that signs as the contract says, and takes every notification or none. */
export class PayerBench {
  readonly clock = new StandingClock();
  readonly keys = commonKeys();
  readonly wechat: WeChatPay;
  readonly alipay: Alipay;
  readonly notes: { url: string; note: Note }[] = [];
  takes = true;
  /** What the next notifications meet. */
  readonly ofNotes: Fault[] = [];
  private nonces = 0;

  constructor(options: { wechat?: Partial<WeChatPayOptions>; alipay?: Partial<AlipayOptions> } = {}) {
    const common = {
      clock: this.clock,
      random: () => 0.5,
      faultOf: () => this.ofNotes.shift(),
      post: async (url: string, note: Note) => {
        this.notes.push({ url, note });
        return this.takes ? { status: 200, body: 'success' } : { status: 500, body: 'fail' };
      },
    };
    const secrets = { ...WECHAT, keys: this.keys };
    this.wechat = new WeChatPay({ ...common, secrets, basePath: '/wechat', ...options.wechat });
    this.alipay = new Alipay({ ...common, secrets: { ...ALIPAY, keys: this.keys }, ...options.alipay });
  }

  askWeChat(method: 'GET' | 'POST', path: string, body?: object, fault?: Fault): VendorAnswer {
    this.nonces += 1;
    const text = body ? JSON.stringify(body) : '';
    const [timestamp, nonce] = [String(Math.floor(this.clock.now() / 1000)), `n${this.nonces}`];
    const signed = `${method}\n/wechat${path}\n${timestamp}\n${nonce}\n${text}\n`;
    const signature = rsaSign(this.keys.merchant.privateKey, signed);
    const authorization = `WECHATPAY2-SHA256-RSA2048 mchid="${WECHAT.mchId}",nonce_str="${nonce}",signature="${signature}",timestamp="${timestamp}",serial_no="${WECHAT.serialNo}"`;
    const headers = { authorization, 'content-type': 'application/json' };
    return this.wechat.handle({ method, path, headers, body: text }, fault);
  }

  askAlipay(method: string, content: object, fault?: Fault): VendorAnswer {
    const form: Record<string, string> = {
      app_id: ALIPAY.appId,
      method,
      format: 'JSON',
      charset: 'utf-8',
      sign_type: 'RSA2',
      timestamp: chinaTime(this.clock.now()),
      version: '1.0',
      notify_url: 'http://shop/alipay',
      biz_content: JSON.stringify(content),
    };
    const sign = rsaSign(this.keys.merchant.privateKey, alipayText(form, ['sign']));
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    const body = new URLSearchParams({ ...form, sign }).toString();
    return this.alipay.handle({ method: 'POST', path: '/gateway.do', headers, body }, fault);
  }

  createWeChat(no: string, fault?: Fault, total = 2300): VendorAnswer {
    const body = {
      appid: WECHAT.appId,
      mchid: WECHAT.mchId,
      description: '午餐',
      out_trade_no: no,
      time_expire: rfc3339(this.clock.now() + WINDOW_MS),
      notify_url: 'http://shop/wechat',
      amount: { total, currency: 'CNY' },
    };
    return this.askWeChat('POST', '/v3/pay/transactions/native', body, fault);
  }

  createAlipay(no: string, fault?: Fault, yuan = '23.00'): VendorAnswer {
    const content = {
      out_trade_no: no,
      total_amount: yuan,
      subject: '午餐',
      time_expire: chinaTime(this.clock.now() + WINDOW_MS),
    };
    return this.askAlipay('alipay.trade.precreate', content, fault);
  }

  queryWeChat(no: string, fault?: Fault): VendorAnswer {
    return this.askWeChat(
      'GET',
      `/v3/pay/transactions/out-trade-no/${no}?mchid=${WECHAT.mchId}`,
      undefined,
      fault,
    );
  }

  closeWeChat(no: string, fault?: Fault): VendorAnswer {
    const path = `/v3/pay/transactions/out-trade-no/${no}/close`;
    return this.askWeChat('POST', path, { mchid: WECHAT.mchId }, fault);
  }

  refundWeChat(no: string, refund: number, number: string, fault?: Fault): VendorAnswer {
    const amount = { refund, total: 2300, currency: 'CNY' };
    const body = { out_trade_no: no, out_refund_no: number, reason: 'cancelled', amount };
    return this.askWeChat('POST', '/v3/refund/domestic/refunds', body, fault);
  }

  refundAlipay(no: string, yuan: string, number: string, fault?: Fault): VendorAnswer {
    const content = {
      out_trade_no: no,
      refund_amount: yuan,
      out_request_no: number,
      refund_reason: 'cancelled',
    };
    return this.askAlipay('alipay.trade.refund', content, fault);
  }
}
