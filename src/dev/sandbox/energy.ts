import { energyCodes, energySignature } from '../../clients/energy.js';
import type { Fault } from './faults.js';
import type { Account, Consumption, Refund, Trade } from './ledger.js';
import { json, type Reply, type Understood, type VendorOptions, type VendorRequest } from './vendor.js';
import { parseObject } from './wire.js';

const SKEW_MS = 300_000;
const START_BALANCE = 100_000;
const PROCESSING_MS = 2_000;
const names: Record<number, string> = Object.fromEntries(
  Object.entries(energyCodes).map(([name, code]) => [code, name]),
);

const ok = (result: unknown): Reply => json({ code: 0, message: 'success', result, requestId: 'sandbox' });
const refusal = (code: number, headers: Record<string, string> = {}): Reply =>
  json({ code, message: names[code] ?? 'refused', result: null, requestId: 'sandbox' }, 200, headers);

/** The energy center: all numbers are the client's; the same number and body have the same result. */
export function understandEnergy(options: VendorOptions, request: VendorRequest): Understood | null {
  const path = request.path.replace(/^\/energy/, '');
  const common = {
    refusal: checkSignature(options, request),
    refuse: (code = String(energyCodes.insufficientBalance)) => refusal(Number(code)),
    rateLimit: () => refusal(energyCodes.rateLimited, { 'Retry-After': '1' }),
  };
  const number = (pattern: RegExp): string => decodeURIComponent(pattern.exec(path)?.[1] ?? '');
  const body = (): Record<string, unknown> => parseObject(request.body);
  if (request.method === 'GET') {
    if (/^\/v1\/accounts\/[^/]+$/.test(path))
      return {
        ...common,
        call: 'energy.account',
        apply: () => showAccount(options, number(/^\/v1\/accounts\/([^/]+)$/)),
      };
    if (/^\/v1\/pay\/[^/]+$/.test(path))
      return {
        ...common,
        call: 'energy.queryPay',
        apply: (fault) => queryPay(options, number(/^\/v1\/pay\/([^/]+)$/), fault),
      };
    if (/^\/v1\/unpay\/[^/]+$/.test(path))
      return {
        ...common,
        call: 'energy.queryRefund',
        apply: (fault) => queryRefund(options, number(/^\/v1\/unpay\/([^/]+)$/), fault),
      };
    return null;
  }
  if (request.method !== 'POST') return null;
  if (path === '/v1/pay')
    return { ...common, call: 'energy.pay', apply: (fault) => pay(options, body(), fault) };
  if (/^\/v1\/pay\/[^/]+\/close$/.test(path))
    return {
      ...common,
      call: 'energy.closePay',
      apply: () => closePay(options, number(/^\/v1\/pay\/([^/]+)\/close$/)),
    };
  if (path === '/v1/unpay')
    return { ...common, call: 'energy.unPay', apply: (fault) => unPay(options, body(), fault) };
  if (path === '/v1/consumptions')
    return { ...common, call: 'energy.syncConsumption', apply: () => sync(options, body()) };
  return null;
}

function checkSignature(
  { settings, now }: VendorOptions,
  { method, path, query, headers, body }: VendorRequest,
): Reply | null {
  const timestamp = String(headers['x-timestamp'] ?? '');
  const nonce = String(headers['x-nonce'] ?? '');
  const search = query.size > 0 ? `?${query.toString()}` : '';
  const wanted = energySignature(settings.energyAppSecret, {
    method,
    path: path + search,
    timestamp,
    nonce,
    body,
  });
  if (Math.abs(Number(timestamp) - now()) <= SKEW_MS && headers['x-signature'] === wanted) return null;
  return json(
    { code: energyCodes.badSignature, message: 'signature', result: null, requestId: 'sandbox' },
    401,
  );
}

/** Everybody has an account with 1000.00, but for a few names that a test, or a curious person, may use. */
function accountOf({ ledger }: VendorOptions, userId: string): Account | null {
  const known = ledger.find<Account>('accounts', userId);
  if (known) return known;
  if (!userId || userId.startsWith('nobody')) return null;
  const account: Account = {
    userId,
    accountNo: `A-${userId}`,
    cardStatus: userId.startsWith('frozen') ? 'FROZEN' : 'NORMAL',
    balance: userId.startsWith('poor') ? 0 : START_BALANCE,
  };
  ledger.put('accounts', account);
  return ledger.find<Account>('accounts', userId) ?? account;
}

function showAccount(options: VendorOptions, userId: string): Reply {
  const account = accountOf(options, userId);
  return account ? ok({ ...account, couponCount: 0 }) : refusal(energyCodes.accountNotFound);
}

function pay(options: VendorOptions, body: Record<string, unknown>, fault: Fault | undefined): Reply {
  const { ledger, now } = options;
  const [outTradeNo, userId, amount] = [
    String(body.outTradeNo ?? ''),
    String(body.userId ?? ''),
    Number(body.amount),
  ];
  if (!outTradeNo || !Number.isInteger(amount) || amount < 0) return refusal(energyCodes.badParameter);
  const fingerprint = JSON.stringify([userId, amount, body.orderNo, body.subject]);
  const known = ledger.find<Trade>('trades', outTradeNo);
  if (known?.status === 'CLOSED') return refusal(energyCodes.closed);
  if (known) return known.body === fingerprint ? ok(tradeView(known, true)) : refusal(energyCodes.otherBody);
  const account = accountOf(options, userId);
  if (!account) return refusal(energyCodes.accountNotFound);
  if (account.cardStatus !== 'NORMAL') return refusal(energyCodes.cardNotUsable);
  if (account.balance < amount) return refusal(energyCodes.insufficientBalance);
  const trade: Trade = {
    tradeNo: ledger.nextNumber('T'),
    outTradeNo,
    userId,
    amount,
    status: 'PROCESSING',
    balanceBefore: account.balance,
    balanceAfter: account.balance,
    refundedAmount: 0,
    body: fingerprint,
    createdAtMs: now(),
  };
  ledger.put('trades', trade);
  const settle = (success: boolean): void => {
    const current = ledger.find<Trade>('trades', outTradeNo);
    const payer = accountOf(options, userId);
    if (!current || !payer || current.status !== 'PROCESSING') return; // closed meanwhile
    const before = payer.balance;
    const balanceAfter = before - (success ? amount : 0);
    ledger.put('accounts', { ...payer, balance: balanceAfter });
    ledger.put('trades', {
      ...current,
      status: success ? 'SUCCESS' : 'FAILED',
      balanceBefore: before,
      balanceAfter,
    });
  };
  if (fault?.kind === 'processing')
    options.later(fault.ms ?? PROCESSING_MS, () => settle(fault.variant !== 'FAILED'));
  else settle(true);
  return ok(tradeView(ledger.find<Trade>('trades', outTradeNo) ?? trade, false));
}

function queryPay({ ledger, now }: VendorOptions, outTradeNo: string, fault: Fault | undefined): Reply {
  const trade = ledger.find<Trade>('trades', outTradeNo);
  const lags =
    fault?.kind === 'read-lag' && trade !== undefined && trade.createdAtMs > now() - (fault.ms ?? 5_000);
  return trade && !lags
    ? ok({ ...tradeView(trade, false), refundedAmount: trade.refundedAmount })
    : refusal(energyCodes.tradeNotFound);
}

function closePay(options: VendorOptions, outTradeNo: string): Reply {
  const { ledger, now } = options;
  const trade = ledger.find<Trade>('trades', outTradeNo);
  if (trade?.status === 'SUCCESS') return refusal(energyCodes.alreadyPaid);
  // A tombstone: a pay that is still on its way will be refused.
  const closed: Trade = trade
    ? { ...trade, status: 'CLOSED' }
    : {
        tradeNo: ledger.nextNumber('T'),
        outTradeNo,
        userId: '',
        amount: 0,
        status: 'CLOSED',
        balanceBefore: 0,
        balanceAfter: 0,
        refundedAmount: 0,
        body: '',
        createdAtMs: now(),
      };
  ledger.put('trades', closed);
  return ok(tradeView(closed, trade?.status === 'CLOSED'));
}

function unPay(options: VendorOptions, body: Record<string, unknown>, fault: Fault | undefined): Reply {
  const { ledger, now, legacyMode } = options;
  const [outRefundNo, outTradeNo, userId, amount] = [
    String(body.outRefundNo ?? ''),
    String(body.outTradeNo ?? ''),
    String(body.userId ?? ''),
    Number(body.amount),
  ];
  if (!outRefundNo || !Number.isInteger(amount)) return refusal(energyCodes.badParameter);
  const fingerprint = JSON.stringify([outTradeNo, userId, amount]);
  const known = legacyMode ? undefined : ledger.where<Refund>('refunds', 'outRefundNo', outRefundNo)[0];
  if (known && known.body !== fingerprint) return refusal(energyCodes.otherBody);
  if (known && known.status !== 'FAILED') return ok(refundView(known, 'N')); // FAILED did nothing: it is asked for again
  const trade = ledger.find<Trade>('trades', outTradeNo);
  if (!trade || trade.status === 'PROCESSING' || trade.status === 'FAILED')
    return refusal(energyCodes.tradeNotFound);
  if (trade.status === 'CLOSED') return refusal(energyCodes.closed);
  if (!legacyMode && trade.refundedAmount + amount > trade.amount)
    return refusal(energyCodes.refundedUnderAnotherNumber);
  const refund: Refund = {
    refundNo: known?.refundNo ?? ledger.nextNumber('F'),
    outRefundNo,
    outTradeNo,
    userId,
    amount,
    status: 'PROCESSING',
    balanceBefore: 0,
    balanceAfter: 0,
    body: fingerprint,
    createdAtMs: now(),
  };
  ledger.put('refunds', refund);
  const settle = (success: boolean): void => {
    const account = accountOf(options, trade.userId);
    const current = ledger.find<Trade>('trades', outTradeNo);
    if (!account || !current) return;
    ledger.put('refunds', {
      ...refund,
      status: success ? 'SUCCESS' : 'FAILED',
      balanceBefore: account.balance,
      balanceAfter: account.balance + (success ? amount : 0),
    });
    if (!success) return;
    ledger.put('trades', { ...current, refundedAmount: current.refundedAmount + amount });
    ledger.put('accounts', { ...account, balance: account.balance + amount });
  };
  if (fault?.kind === 'processing')
    options.later(fault.ms ?? PROCESSING_MS, () => settle(fault.variant !== 'FAILED'));
  else settle(true);
  return ok(refundView(ledger.find<Refund>('refunds', refund.refundNo) ?? refund, 'Y'));
}

function queryRefund({ ledger, now }: VendorOptions, outRefundNo: string, fault: Fault | undefined): Reply {
  const refund = ledger.where<Refund>('refunds', 'outRefundNo', outRefundNo)[0];
  const lags =
    fault?.kind === 'read-lag' && refund !== undefined && refund.createdAtMs > now() - (fault.ms ?? 5_000);
  return refund && !lags ? ok(refundView(refund, 'N')) : refusal(energyCodes.refundNotFound);
}

function sync({ ledger }: VendorOptions, body: Record<string, unknown>): Reply {
  const recordNo = String(body.recordNo ?? '');
  if (!recordNo || !Number.isInteger(body.amount)) return refusal(energyCodes.badParameter);
  const fingerprint = JSON.stringify([body.userId, body.amount, body.canteen, body.consumedAt]);
  const known = ledger.find<Consumption>('consumptions', recordNo);
  if (known && known.body !== fingerprint) return refusal(energyCodes.otherBody);
  if (!known)
    ledger.put('consumptions', {
      recordNo,
      userId: String(body.userId),
      amount: Number(body.amount),
      canteen: String(body.canteen),
      consumedAt: String(body.consumedAt),
      body: fingerprint,
    });
  return ok({ recordNo, status: 'ACCEPTED', duplicate: known !== undefined });
}

function tradeView(
  { tradeNo, outTradeNo, status, amount, balanceBefore, balanceAfter }: Trade,
  duplicate: boolean,
) {
  return { tradeNo, outTradeNo, status, amount, balanceBefore, balanceAfter, duplicate };
}

function refundView(
  { refundNo, outRefundNo, outTradeNo, status, amount, balanceBefore, balanceAfter }: Refund,
  fundChange: 'Y' | 'N',
) {
  return { refundNo, outRefundNo, outTradeNo, status, amount, fundChange, balanceBefore, balanceAfter };
}
