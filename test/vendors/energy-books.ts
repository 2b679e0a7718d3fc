import type { Clock } from './vendor.js';

const CARD_STATES = ['NORMAL', 'FROZEN', 'LOST', 'CLOSED'] as const;
export type CardStatus = (typeof CARD_STATES)[number];
export type TradeStatus = 'SUCCESS' | 'PROCESSING' | 'FAILED' | 'CLOSED';
export type RefundStatus = 'SUCCESS' | 'PROCESSING' | 'FAILED';

export interface Account {
  readonly userId: string;
  readonly accountNo: string;
  cardStatus: CardStatus;
  balance: number;
  couponCount: number;
  readonly opened: number;
}

/** What a record was from this instant on. Amounts in cents. */
export interface Moment<Status> {
  readonly at: number;
  readonly status: Status;
  readonly balanceBefore: number;
  readonly balanceAfter: number;
}

export interface Trade {
  readonly tradeNo: string;
  readonly outTradeNo: string;
  /** Empty for a number that was closed before any pay came. */
  readonly userId: string;
  readonly amount: number;
  /** The content of the call that made it: another content under the same number is refused. */
  readonly content: string;
  readonly history: Moment<TradeStatus>[];
  /** Questions see this record as it was so many milliseconds ago. */
  lagMs: number;
}

export interface Refund {
  readonly refundNo: string;
  readonly outRefundNo: string;
  readonly outTradeNo: string;
  readonly userId: string;
  readonly amount: number;
  readonly content: string;
  readonly history: Moment<RefundStatus>[];
  lagMs: number;
}

export interface Consumption {
  readonly recordNo: string;
  readonly userId: string;
  readonly amount: number;
  readonly content: string;
  readonly at: number;
}

/** The money, as the energy center keeps it. A record's present state is the last line of its history. */
export class EnergyBooks {
  readonly accounts = new Map<string, Account>();
  readonly trades = new Map<string, Trade>();
  readonly refunds = new Map<string, Refund>();
  readonly consumptions = new Map<string, Consumption>();
  private numbers = 0;
  private readonly clock: Clock;

  constructor(clock: Clock) {
    this.clock = clock;
  }

  number(prefix: string): string {
    this.numbers += 1;
    return `${prefix}${String(this.numbers).padStart(10, '0')}`;
  }

  open(userId: string, balance: number, cardStatus: CardStatus = 'NORMAL'): Account {
    const account: Account = {
      userId,
      accountNo: this.number('A'),
      cardStatus,
      balance,
      couponCount: 0,
      opened: balance,
    };
    this.accounts.set(userId, account);
    return account;
  }

  /** Moves `cents` on the account (0: nothing moves) and writes the state with the balances around it. */
  write<S>(history: Moment<S>[], status: S, account: Account | undefined, cents: number): void {
    const balanceBefore = account?.balance ?? 0;
    if (account) account.balance += cents;
    history.push({ at: this.clock.now(), status, balanceBefore, balanceAfter: balanceBefore + cents });
  }

  refundsOf(outTradeNo: string): Refund[] {
    return [...this.refunds.values()].filter((refund) => refund.outTradeNo === outTradeNo);
  }

  /** Records whose last change no question can see yet. */
  unseen(): number {
    const instant = this.clock.now();
    return [...this.trades.values(), ...this.refunds.values()].filter(
      ({ history, lagMs }) => (history.at(-1)?.at ?? 0) > instant - lagMs,
    ).length;
  }

  /** Refunded, or promised by a refund that is still PROCESSING. */
  givenBack(outTradeNo: string, alsoProcessing: boolean): number {
    const counts = (refund: Refund): boolean =>
      now(refund) === 'SUCCESS' || (alsoProcessing && now(refund) === 'PROCESSING');
    return this.refundsOf(outTradeNo).reduce((sum, refund) => sum + (counts(refund) ? refund.amount : 0), 0);
  }
}

export function now<S>(record: { readonly history: readonly Moment<S>[] }): S | undefined {
  return record.history.at(-1)?.status;
}

/** The line of the history that was the last at that instant. */
export function asOf<S>(
  record: { readonly history: readonly Moment<S>[] },
  instant: number,
): Moment<S> | undefined {
  return record.history.findLast((moment) => moment.at <= instant);
}
