import type { PayerType } from '../../../clients/payer.js';
import type { Faults } from '../faults.js';
import type { PayerTrade } from '../ledger.js';
import type { Reply, Understood, VendorOptions, VendorRequest } from '../vendor.js';
import { alipayNote, understandAlipay } from './alipay.js';
import { PayerBooks, type PayResult } from './books.js';
import type { PayerKeys } from './keys.js';
import { type Note, Notifier } from './notify.js';
import { payPage } from './page.js';
import { understandWeChatPay, weChatPayNote } from './wechat-pay.js';

const PAGE = /^\/(wechatpay|alipay)\/pay\/([\w-]{1,64})$/;

/** Both payers: their calls, the page behind their codes, their notifications. */
export class SandboxPayers {
  readonly #wechat;
  readonly #alipay;

  constructor(
    private readonly options: VendorOptions,
    private readonly faults: Faults,
    keys: PayerKeys,
    url: () => string,
  ) {
    const pages = (path: string) => (outTradeNo: string) => `${url()}/${path}/pay/${outTradeNo}`;
    const wechatNotifier = this.#notifier('wechat', (trade, form) =>
      weChatPayNote(this.#wechat, trade, form),
    );
    const alipayNotifier = this.#notifier('alipay', (trade, form) => alipayNote(this.#alipay, trade, form));
    const { now } = options;
    this.#wechat = {
      books: new PayerBooks('wechat', options, (trade) => wechatNotifier.tell(trade)),
      ...{ keys, now, pageOf: pages('wechatpay') },
    };
    this.#alipay = {
      books: new PayerBooks('alipay', options, (trade) => alipayNotifier.tell(trade)),
      ...{ keys, now, pageOf: pages('alipay') },
    };
    // A sandbox that was killed goes on telling what nobody has heard.
    for (const trade of options.ledger.books.payerTrades)
      if (trade.status === 'SUCCESS' && !trade.isNotified)
        (trade.payer === 'wechat' ? wechatNotifier : alipayNotifier).tell(trade);
  }

  understand(request: VendorRequest): Understood | null {
    return understandWeChatPay(this.#wechat, request) ?? understandAlipay(this.#alipay, request);
  }

  /** The page behind a code; null where the path is no page's. */
  page(request: VendorRequest): Reply | null {
    const [, payer, outTradeNo] = PAGE.exec(request.path) ?? [];
    if (!outTradeNo) return null;
    return payPage(this.#books(payer === 'alipay' ? 'alipay' : 'wechat'), request, outTradeNo);
  }

  pay(payer: PayerType, outTradeNo: string): PayResult {
    return this.#books(payer).pay(outTradeNo);
  }

  settleRefund(payer: PayerType, outRefundNo: string): boolean {
    return this.#books(payer).settle(outRefundNo, 'SUCCESS');
  }

  #books(payer: PayerType): PayerBooks {
    return payer === 'wechat' ? this.#wechat.books : this.#alipay.books;
  }

  #notifier(payer: PayerType, compose: (trade: PayerTrade, form: string | null) => Note): Notifier {
    return new Notifier({
      later: this.options.later,
      pickFault: () => this.faults.pick(payer === 'wechat' ? 'wechatpay.notify' : 'alipay.notify', undefined),
      compose,
      isTaken: (status, body) => (payer === 'wechat' ? status >= 200 && status < 300 : body === 'success'),
      onTaken: (outTradeNo) => this.#books(payer).notified(outTradeNo),
    });
  }
}
