import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { privateFile } from '../../base/private-files.js';
import type { PayerType } from '../../clients/payer.js';
import { ownerLine } from './ledger-owner.js';

export interface MeicanOrder {
  orderId: string;
  corp: string;
  email: string;
  realName: string;
  addressId: string;
  mealDate: string;
  mealType: string;
  dishes: { dishId: number | string; count: number; priceInCent: number }[];
  cancelled: boolean;
  /** Placed through another channel than the API. */
  foreign: boolean;
  createdAtMs: number;
}
export interface Account {
  userId: string;
  accountNo: string;
  cardStatus: 'NORMAL' | 'FROZEN' | 'LOST' | 'CLOSED';
  balance: number;
}
export interface Trade {
  tradeNo: string;
  outTradeNo: string;
  userId: string;
  amount: number;
  status: 'SUCCESS' | 'PROCESSING' | 'FAILED' | 'CLOSED';
  balanceBefore: number;
  balanceAfter: number;
  refundedAmount: number;
  body: string;
  createdAtMs: number;
}
export interface Refund {
  refundNo: string;
  outRefundNo: string;
  outTradeNo: string;
  userId: string;
  amount: number;
  status: 'SUCCESS' | 'PROCESSING' | 'FAILED';
  balanceBefore: number;
  balanceAfter: number;
  body: string;
  createdAtMs: number;
}
export interface Consumption {
  recordNo: string;
  userId: string;
  amount: number;
  canteen: string;
  consumedAt: string;
  body: string;
}
/** A number at WeChat Pay or Alipay. */
export interface PayerTrade {
  /** Payer and number. */
  id: string;
  payer: PayerType;
  outTradeNo: string;
  amount: number;
  description: string;
  status: 'NOTPAY' | 'SUCCESS' | 'CLOSED';
  isScanned: boolean;
  expiresAtMs: number;
  notifyUrl: string;
  transactionNo: string | null;
  paidAtMs: number | null;
  /** The shop has taken the notification. */
  isNotified: boolean;
  body: string;
  createdAtMs: number;
}
export interface PayerRefund {
  id: string;
  tradeId: string;
  payer: PayerType;
  refundNo: string;
  outRefundNo: string;
  outTradeNo: string;
  amount: number;
  status: 'SUCCESS' | 'PROCESSING' | 'CLOSED' | 'ABNORMAL';
  body: string;
  createdAtMs: number;
}
interface Message {
  to: string;
  content: unknown;
  atMs: number;
}

/** The books of the vendors and payers. Plain data, so that a state can be kept, copied and looked at. */
export interface Books {
  sequence: number;
  meicanOrders: MeicanOrder[];
  accounts: Account[];
  trades: Trade[];
  refunds: Refund[];
  consumptions: Consumption[];
  payerTrades: PayerTrade[];
  payerRefunds: PayerRefund[];
  robotMessages: Message[];
  appMessages: Message[];
}

type ListName = Exclude<keyof Books, 'sequence'>;
const lists: readonly ListName[] = [
  'meicanOrders',
  'accounts',
  'trades',
  'refunds',
  'consumptions',
  'payerTrades',
  'payerRefunds',
  'robotMessages',
  'appMessages',
];
const emptyBooks = (): Books => ({
  sequence: 0,
  meicanOrders: [],
  accounts: [],
  trades: [],
  refunds: [],
  consumptions: [],
  payerTrades: [],
  payerRefunds: [],
  robotMessages: [],
  appMessages: [],
});
const keyOf: Record<ListName, string | null> = {
  meicanOrders: 'orderId',
  accounts: 'userId',
  trades: 'outTradeNo',
  refunds: 'refundNo',
  consumptions: 'recordNo',
  payerTrades: 'id',
  payerRefunds: 'id',
  robotMessages: null,
  appMessages: null,
};

/** Keeps the books, in memory and, if a file is named, in a journal that survives a kill: each line is one row as it became. */
export class Ledger {
  books: Books = emptyBooks();
  readonly #byKey = new Map<ListName, Map<string, object>>();
  /** By list and field: the rows that have the same value there. */
  readonly #alike = new Map<string, Map<string, object[]>>();

  /** The journal's first line, if it names the database that the books belong to. */
  #head = '';

  constructor(private readonly file: string | undefined) {
    if (!file) return;
    privateFile(file);
    const kept = readFileSync(file, 'utf8');
    this.#head = ownerLine(kept);
    for (const line of kept.slice(this.#head.length).split('\n')) this.#replay(line);
  }

  nextNumber(prefix: string): string {
    this.books.sequence += 1;
    return `${prefix}${this.books.sequence.toString(16).padStart(8, '0')}`;
  }

  find<T extends object>(list: ListName, key: string): T | undefined {
    return this.#index(list).get(key) as T | undefined;
  }

  /** The rows whose field has this value. Of a field that never changes. */
  where<T extends object>(list: ListName, field: keyof T & string, value: string): readonly T[] {
    const name = `${list}.${field}`;
    let alike = this.#alike.get(name);
    if (!alike) {
      alike = new Map();
      this.#alike.set(name, alike);
      for (const row of this.books[list]) addTo(alike, field, row);
    }
    return (alike.get(value) ?? []) as readonly object[] as readonly T[];
  }

  /** Writes a row: a new one, or the changed state of one that has the same key. */
  put(list: ListName, row: object): void {
    this.#store(list, row);
    if (this.file)
      appendFileSync(this.file, `${JSON.stringify({ list, row, sequence: this.books.sequence })}\n`);
  }

  reset(): void {
    this.books = emptyBooks();
    this.#forget();
    if (this.file) writeFileSync(this.file, this.#head);
  }

  /** Runs `work` and undoes whatever it did to the books: the vendor that says OK and does nothing. */
  undone<T>(work: () => T): T {
    const before = structuredClone(this.books);
    const result = work();
    this.books = before;
    this.#forget();
    if (this.file) {
      const rows = lists.flatMap((list) =>
        this.books[list].map((row) => JSON.stringify({ list, row, sequence: before.sequence })),
      );
      writeFileSync(this.file, this.#head + rows.map((row) => `${row}\n`).join(''));
    }
    return result;
  }

  #replay(line: string): void {
    try {
      const { list, row, sequence } = JSON.parse(line) as { list: ListName; row: object; sequence: number };
      this.#store(list, row);
      this.books.sequence = sequence;
    } catch {
      // the last line of a killed process may be half a line; its answer was never sent
    }
  }

  #store(list: ListName, row: object): void {
    const rows = this.books[list] as object[];
    const field = keyOf[list];
    const key = field ? String((row as Record<string, unknown>)[field]) : null;
    const known = key === null ? undefined : this.#index(list).get(key);
    if (known) Object.assign(known, row);
    else {
      rows.push(row);
      for (const [name, alike] of this.#alike)
        if (name.startsWith(`${list}.`)) addTo(alike, name.slice(list.length + 1), row);
      if (key !== null) this.#index(list).set(key, row);
    }
  }

  #forget(): void {
    this.#byKey.clear();
    this.#alike.clear();
  }

  #index(list: ListName): Map<string, object> {
    let index = this.#byKey.get(list);
    if (!index) {
      const field = keyOf[list];
      index = new Map(
        (this.books[list] as object[]).map((row) => [
          String((row as Record<string, unknown>)[field ?? '']),
          row,
        ]),
      );
      this.#byKey.set(list, index);
    }
    return index;
  }
}

function addTo(alike: Map<string, object[]>, field: string, row: object): void {
  const value = String((row as Record<string, unknown>)[field]);
  const rows = alike.get(value);
  if (rows) rows.push(row);
  else alike.set(value, [row]);
}
