import type { FalseNote, Fault } from '../fault.js';
import type { Clock } from '../vendor.js';

/** A notification as it goes over the line; the names of its headers are in lower case. */
export interface Note {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}
export type Form = 'genuine' | FalseNote;
export type Post = (url: string, note: Note) => Promise<{ readonly status: number; readonly body: string }>;

/** One attempt, and what became of it. `status` null: nobody answered. */
export interface Attempt {
  readonly at: number;
  readonly outTradeNo: string;
  readonly form: Form;
  readonly status: number | null;
  readonly taken: boolean;
}

export interface NotifierOptions {
  readonly clock: Clock;
  readonly post: Post;
  /** Milliseconds between the attempts of one notification. */
  readonly pauses: readonly number[];
  readonly isTaken: (answer: { status: number; body: string }) => boolean;
}

export interface Errand {
  readonly outTradeNo: string;
  readonly url: string;
  /** Made anew for each attempt: the signature's time is that of the sending. */
  readonly compose: (form: Form) => Note;
}

/** Sends notifications until each is taken, or its pauses are used up. */
export class Notifier {
  readonly attempts: Attempt[] = [];
  /** Attempts that are planned or under way. */
  pending = 0;
  private readonly options: NotifierOptions;

  constructor(options: NotifierOptions) {
    this.options = options;
  }

  send(errand: Errand, fault: Fault | undefined): void {
    switch (fault?.kind) {
      case 'notify-lost':
        return;
      case 'notify-doubled':
        this.attempt(errand, 0);
        this.attempt(errand, 0);
        return;
      case 'notify-late':
        this.later(fault.ms, () => this.attempt(errand, 0));
        return;
      case 'notify-false':
        void this.post(errand, fault.form).then(() => this.attempt(errand, 0));
        return;
      default:
        this.attempt(errand, 0);
    }
  }

  private attempt(errand: Errand, number: number): void {
    void this.post(errand, 'genuine').then((isTaken) => {
      const pause = this.options.pauses[number];
      if (!isTaken && pause !== undefined) this.later(pause, () => this.attempt(errand, number + 1));
    });
  }

  private later(ms: number, work: () => void): void {
    this.pending += 1;
    this.options.clock.later(ms, () => {
      this.pending -= 1;
      work();
    });
  }

  /** False where nobody took it. */
  private async post(errand: Errand, form: Form): Promise<boolean> {
    this.pending += 1;
    const answer = await this.options.post(errand.url, errand.compose(form)).catch(() => null);
    this.pending -= 1;
    const taken = answer !== null && this.options.isTaken(answer);
    this.attempts.push({
      at: this.options.clock.now(),
      outTradeNo: errand.outTradeNo,
      form,
      status: answer?.status ?? null,
      taken,
    });
    return taken;
  }
}
