import { createHmac, randomUUID } from 'node:crypto';
import { type Hide, hider } from '../base/hide.js';
import { classifyTransport } from './classify.js';
import { judge } from './energy-answers.js';
import { type EnergyCodeName, energyCodes } from './energy-codes.js';
import type { Outcome } from './outcome.js';
import { hideOf, screen } from './screen.js';
import { sendSigned, unsafePath, VendorClock } from './send-signed.js';
import { type CallContext, type Carrier, type Request, recordOf, Transport } from './transport.js';

export interface EnergyOptions {
  /** Includes any prefix. */
  readonly baseUrl: string;
  readonly appId: string;
  readonly appSecret: string;
  readonly timeoutMs: number;
  /** Hides every secret of the settings, whichever vendor's. */
  readonly hide?: Hide;
  /** Numbers on the wire that differ from the table. */
  readonly codes?: Partial<Record<EnergyCodeName, number>>;
}

/** A call by its name in the journal. Without a body it is a GET. */
interface Call<T> {
  readonly name: string;
  readonly path: string;
  readonly body?: object;
  /** What the result of an OK means; null when it lacks what it promises. */
  readonly read: (result: unknown) => Outcome<T> | null;
}

/** Signed calls, judged by their code. */
export class EnergyCalls {
  readonly #transport: Carrier;
  /** From the number on the wire to ours. */
  readonly #ours: ReadonlyMap<number, number>;
  readonly #hide: Hide;
  readonly #clock = new VendorClock();

  constructor(
    private readonly options: EnergyOptions,
    carrier: Carrier = new Transport(options),
  ) {
    this.#transport = carrier;
    this.#hide = options.hide ?? hider([options.appSecret]);
    const names = Object.keys(energyCodes) as EnergyCodeName[];
    this.#ours = new Map(
      names.map((name) => [options.codes?.[name] ?? energyCodes[name], energyCodes[name]]),
    );
  }

  async call<T>({ name, path, body, read }: Call<T>, context: CallContext): Promise<Outcome<T>> {
    const unsafe = unsafePath(path);
    if (unsafe) return unsafe;
    const startedMs = performance.now();
    const at = new Date();
    const request: Request = {
      method: body ? 'POST' : 'GET',
      path,
      headers: body ? { 'Content-Type': 'application/json' } : {},
      body: body ? JSON.stringify(body) : null,
      isRead: !body,
    };
    const sign = (): Request => this.#signed(request);
    const { signed, answer } = await sendSigned(this.#transport, this.#clock, sign, context);
    const hide = hideOf(this.#hide, signed, context);
    const outcome = screen(classifyTransport(answer) ?? judge(answer, this.#ours, read), hide);
    context.journal?.(recordOf(name, request, answer, outcome, startedMs, at, hide));
    return outcome;
  }

  close(): void {
    this.#transport.close();
  }

  #signed(request: Request): Request {
    const timestamp = String(this.#clock.now());
    const nonce = randomUUID();
    const signature = energySignature(this.options.appSecret, {
      method: request.method,
      path: this.#transport.pathOf(request.path),
      timestamp,
      nonce,
      body: request.body ?? '',
    });
    return {
      ...request,
      headers: {
        ...request.headers,
        'X-App-Id': this.options.appId,
        'X-Timestamp': timestamp,
        'X-Nonce': nonce,
        'X-Signature': signature,
      },
    };
  }
}

/** hex(HMAC-SHA256(secret, METHOD\nPATH?QUERY\nTIMESTAMP\nNONCE\nBODY\n)); PATH as the server sees it. */
export function energySignature(
  secret: string,
  signed: { method: string; path: string; timestamp: string; nonce: string; body: string },
): string {
  return createHmac('sha256', secret)
    .update(`${signed.method}\n${signed.path}\n${signed.timestamp}\n${signed.nonce}\n${signed.body}\n`)
    .digest('hex');
}
