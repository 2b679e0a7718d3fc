import type { Fault } from '../faults.js';
import type { PayerTrade } from '../ledger.js';

export interface Note {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface NotifierOptions {
  readonly later: (ms: number, work: () => void) => void;
  readonly pickFault: () => Fault | undefined;
  /** `form`: how it is false; null: it is not. Made anew each time, since the signature has a time. */
  readonly compose: (trade: PayerTrade, form: string | null) => Note;
  readonly isTaken: (status: number, body: string) => boolean;
  readonly onTaken: (outTradeNo: string) => void;
}

/** The payers' own pauses, ten times shorter. Milliseconds. */
const PAUSES = [1_500, 1_500, 3_000, 18_000, 60_000, 120_000, 180_000, 180_000, 360_000];
const ANSWER_MS = 5_000;
const LATE_MS = 3_000;

/** Tells the shop that a trade was paid, again and again until it is heard. */
export class Notifier {
  constructor(private readonly options: NotifierOptions) {}

  tell(trade: PayerTrade): void {
    const fault = this.options.pickFault();
    if (fault?.kind === 'notify-lost') return;
    if (fault?.kind === 'notify-doubled') this.#attempt(trade, PAUSES.length);
    if (fault?.kind === 'notify-false')
      void this.#post(trade, fault.variant ?? 'forged').then(() => this.#attempt(trade, 0));
    else if (fault?.kind === 'notify-late')
      this.options.later(fault.ms ?? LATE_MS, () => this.#attempt(trade, 0));
    else this.#attempt(trade, 0);
  }

  #attempt(trade: PayerTrade, number: number): void {
    void this.#post(trade, null).then((isTaken) => {
      const pause = PAUSES[number];
      if (isTaken) this.options.onTaken(trade.outTradeNo);
      else if (pause !== undefined) this.options.later(pause, () => this.#attempt(trade, number + 1));
    });
  }

  async #post(trade: PayerTrade, form: string | null): Promise<boolean> {
    try {
      const { headers, body } = this.options.compose(trade, form);
      const signal = AbortSignal.timeout(ANSWER_MS);
      const answer = await fetch(trade.notifyUrl, { method: 'POST', headers, body, signal });
      return this.options.isTaken(answer.status, await answer.text());
    } catch {
      return false;
    }
  }
}
