import { escapeHtml } from '../../../base/text.js';
import { yuanOf } from '../../../clients/alipay-proof.js';
import type { PayerTrade } from '../ledger.js';
import type { Reply, VendorRequest } from '../vendor.js';
import type { PayerBooks, PayResult } from './books.js';

const said: Readonly<Record<PayResult | 'poor', string>> = {
  paid: '已支付 · Paid.',
  'paid-before': '此前已支付 · Paid before.',
  closed: '订单已关闭 · The payment is closed.',
  expired: '二维码已过期 · The code has expired.',
  unknown: '没有此订单 · No such payment.',
  poor: '余额不足，未支付 · Not enough money: nothing was paid.',
};

/** What the diner's telephone shows behind the code: the payment, and two buttons. */
export function payPage(books: PayerBooks, request: VendorRequest, outTradeNo: string): Reply {
  if (request.method === 'POST') {
    const isPoor = new URLSearchParams(request.body).get('what') === 'poor';
    return page(isPoor ? said.poor : said[books.pay(outTradeNo)], isPoor ? buttons : '');
  }
  books.scan(outTradeNo);
  const trade = books.trade(outTradeNo);
  if (!trade) return page(said.unknown, '', 404);
  return trade.status === 'NOTPAY'
    ? page(wordsOf(trade), buttons)
    : page(said[trade.status === 'SUCCESS' ? 'paid-before' : 'closed'], '');
}

const wordsOf = (trade: PayerTrade): string =>
  `${trade.payer === 'wechat' ? '微信支付 WeChat Pay' : '支付宝 Alipay'} · ¥${yuanOf(trade.amount)} · ${trade.description} · ${trade.outTradeNo}`;

const buttons = `<form method="post"><button name="what" value="pay">支付 Pay</button>
<button name="what" value="poor">余额不足 Not enough money</button></form>`;

function page(words: string, form: string, status = 200): Reply {
  return {
    status,
    headers: { 'Content-Type': 'text/html; charset=utf-8', 'Cache-Control': 'no-store' },
    body: `<!doctype html><html lang="zh"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>sandbox</title><style>body{font:1.1em sans-serif;max-width:30em;margin:3em auto;padding:0 1em}button{font:inherit;padding:.6em 1em;margin:.5em .5em 0 0}</style>
<main><p>${escapeHtml(words)}</p>${form}</main></html>`,
  };
}
