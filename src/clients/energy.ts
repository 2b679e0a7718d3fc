import {
  account,
  closedTrade,
  consumption,
  judgeClose,
  judgeState,
  noneWhen,
  refund,
  trade,
  unknownWhen,
} from './energy-answers.js';
import { EnergyCalls, type EnergyOptions } from './energy-call.js';
import { energyCodes as codes, NO_REFUSAL } from './energy-codes.js';
import { applied, type Outcome } from './outcome.js';
import type { CallContext, Carrier } from './transport.js';

export { type EnergyOptions, energySignature } from './energy-call.js';
export { type EnergyCodeName, energyCodes } from './energy-codes.js';

export interface Pay {
  readonly outTradeNo: string;
  readonly userId: string;
  readonly amountInCent: number;
  readonly subject: string;
  readonly orderNo: string;
  readonly expireAt: Date;
}

export interface Refund {
  readonly outRefundNo: string;
  readonly outTradeNo: string;
  readonly userId: string;
  readonly amountInCent: number;
  readonly reason: string;
}

export interface Consumption {
  readonly recordNo: string;
  readonly userId: string;
  readonly amountInCent: number;
  readonly canteen: string;
  readonly consumedAt: Date;
}

export interface Account {
  readonly userId: string;
  readonly cardStatus: string;
  readonly balanceInCent: number;
}

export type TradeState = 'SUCCESS' | 'PROCESSING' | 'FAILED' | 'CLOSED' | 'NONE';

/** What the energy center holds under a payment's number. */
interface HeldTrade {
  readonly state: TradeState;
  readonly amountInCent: number;
  readonly refundedInCent: number;
}

/** The energy center: all numbers are ours and deterministic, so a repeat with the same number and body has the same result. */
export class EnergyClient {
  readonly #calls: EnergyCalls;

  constructor(options: EnergyOptions, carrier?: Carrier) {
    this.#calls = new EnergyCalls(options, carrier);
  }

  async findCardAccountInfo(userId: string, context: CallContext): Promise<Outcome<Account>> {
    const path = `/v1/accounts/${encodeURIComponent(userId)}`;
    const read = (result: unknown): Outcome<Account> | null => {
      const { data } = account.safeParse(result);
      return data
        ? applied({ userId: data.userId, cardStatus: data.cardStatus, balanceInCent: data.balance })
        : null;
    };
    return this.#calls.call({ name: 'energy.findCardAccountInfo', path, read }, context);
  }

  /** Unknown with code PROCESSING: the vendor works on it; only a query that answers SUCCESS is success. */
  async pay(pay: Pay, context: CallContext): Promise<Outcome<null>> {
    const body = {
      outTradeNo: pay.outTradeNo,
      userId: pay.userId,
      amount: pay.amountInCent,
      subject: pay.subject,
      orderNo: pay.orderNo,
      expireAt: pay.expireAt.toISOString(),
    };
    const read = (result: unknown): Outcome<null> | null => {
      const { data } = trade.safeParse(result);
      return data?.outTradeNo === pay.outTradeNo ? judgeState(data.status, data.duplicate === true) : null;
    };
    const outcome = await this.#calls.call({ name: 'energy.pay', path: '/v1/pay', body, read }, context);
    return unknownWhen(outcome, NO_REFUSAL.pay);
  }

  /** What the vendor holds under this number; NONE when it never heard of it (which may change while a pay is on its way). */
  async queryPay(outTradeNo: string, context: CallContext): Promise<Outcome<HeldTrade>> {
    const path = `/v1/pay/${encodeURIComponent(outTradeNo)}`;
    const read = (result: unknown): Outcome<HeldTrade> | null => {
      const { data } = trade.safeParse(result);
      return data?.outTradeNo === outTradeNo
        ? applied({
            state: data.status,
            amountInCent: data.amount,
            refundedInCent: data.refundedAmount ?? 0,
          })
        : null;
    };
    const outcome = await this.#calls.call({ name: 'energy.queryPay', path, read }, context);
    return noneWhen(outcome, codes.tradeNotFound, { state: 'NONE', amountInCent: 0, refundedInCent: 0 });
  }

  /** Applied: no money was or will be taken under this number (CLOSED, or a payment that ended FAILED). Rejected 40903: it had been paid. */
  async closePay(outTradeNo: string, context: CallContext): Promise<Outcome<null>> {
    const path = `/v1/pay/${encodeURIComponent(outTradeNo)}/close`;
    const read = (result: unknown): Outcome<null> | null => {
      const { data } = closedTrade.safeParse(result);
      return data ? judgeClose(data.status, data.duplicate === true) : null;
    };
    const outcome = await this.#calls.call({ name: 'energy.closePay', path, body: {}, read }, context);
    if (outcome.kind === 'rejected' && outcome.code === String(codes.closed)) return applied(null, true);
    return unknownWhen(outcome, NO_REFUSAL.closePay);
  }

  async unPay(wanted: Refund, context: CallContext): Promise<Outcome<null>> {
    const body = {
      outRefundNo: wanted.outRefundNo,
      outTradeNo: wanted.outTradeNo,
      userId: wanted.userId,
      amount: wanted.amountInCent,
      reason: wanted.reason,
    };
    const read = (result: unknown): Outcome<null> | null => {
      const { data } = refund.safeParse(result);
      return data?.outRefundNo === wanted.outRefundNo
        ? judgeState(data.status, data.fundChange === 'N')
        : null;
    };
    const outcome = await this.#calls.call({ name: 'energy.unPay', path: '/v1/unpay', body, read }, context);
    return unknownWhen(outcome, NO_REFUSAL.unPay);
  }

  async queryRefund(outRefundNo: string, context: CallContext): Promise<Outcome<{ state: TradeState }>> {
    const path = `/v1/unpay/${encodeURIComponent(outRefundNo)}`;
    const read = (result: unknown): Outcome<{ state: TradeState }> | null => {
      const { data } = refund.safeParse(result);
      return data?.outRefundNo === outRefundNo ? applied({ state: data.status }) : null;
    };
    const outcome = await this.#calls.call({ name: 'energy.queryRefund', path, read }, context);
    return noneWhen(outcome, codes.refundNotFound, { state: 'NONE' });
  }

  async syncConsumption(wanted: Consumption, context: CallContext): Promise<Outcome<null>> {
    const body = {
      recordNo: wanted.recordNo,
      userId: wanted.userId,
      amount: wanted.amountInCent,
      canteen: wanted.canteen,
      consumedAt: wanted.consumedAt.toISOString(),
    };
    const read = (result: unknown): Outcome<null> | null => {
      const { data } = consumption.safeParse(result);
      return data?.recordNo === wanted.recordNo && data.status === 'ACCEPTED'
        ? applied(null, data.duplicate === true)
        : null;
    };
    return this.#calls.call(
      { name: 'energy.syncConsumption', path: '/v1/consumptions', body, read },
      context,
    );
  }

  close(): void {
    this.#calls.close();
  }
}
