import type { CallContext, Request } from '../../src/clients/transport.js';
import type { VendorBooks } from '../support/judge.js';
import { vendorBooksOf } from '../support/vendor-books.js';
import { EnergyCenter, energyCallOf } from '../vendors/energy-center.js';
import { everyFault, isQuestion } from '../vendors/every-fault.js';
import type { Call, Fault, FaultKind } from '../vendors/fault.js';
import { Meican, meicanCallOf } from '../vendors/meican.js';
import type { VendorAnswer, VendorRequest } from '../vendors/vendor.js';
import { chanceOf, mulberry32, pick, weighted } from './chance.js';
import type { VirtualClock } from './clock.js';

export const secrets = {
  appId: 'lunchbox',
  appSecret: 'a secret of the simulation',
  corpToken: 'a token of the simulation',
};

export const PRICE_CENTS = 1_500;
export const dishes = [
  { id: '1', name: 'soup' },
  { id: '2', name: 'rice' },
] as const;
const cooked = (name: string) => ({ name, restaurant: 'kitchen', priceInCent: PRICE_CENTS, available: true });
/** "Not in the list" is true only so long after the last doubtful call. */
export const SETTLE_MS = 30_000;
/** How long a caller waits for an answer. */
export const CALL_TIMEOUT_MS = 5_000;
/** The way there, a late effect and an old list together stay within the settle window of 30 s: later than that, nobody could know. */
export const LATE_MAX_MS = 19_000;
/** PROCESSING, settled later and seen late, is what most mistakes are made of. */
const PROCESSING_WEIGHT = 5;
const READ_LAG_MS = 5_000;
const ANSWER_MAX_CHARACTERS = 2 * 1024 * 1024;

/** Kinds that the carrier of the simulation cannot tell from another one, or that it has no sockets for. */
const LEFT_OUT: readonly FaultKind['kind'][] = ['oversize', 'drip', 'idle-close'];

export type Vendor = 'meican' | 'energy';
export const vendorNames = ['meican', 'energy'] as const;

/** A time in which a vendor answers everything in one way. */
interface Outage {
  readonly vendor: Vendor;
  readonly fromMs: number;
  readonly untilMs: number;
  readonly fault: FaultKind;
}

export interface VendorsOptions {
  readonly seed: number;
  /** Faults, by their number, that are left out: how a story is made shorter. */
  readonly spared: ReadonlySet<number>;
  readonly clock: VirtualClock;
  readonly tell: (text: string) => void;
}

/** Meican and the energy center, by the contract alone, and what goes wrong with them by the luck of a seed. */
export class Vendors {
  readonly energy: EnergyCenter;
  readonly meican: Meican;
  /** 0 to 1, for each call. */
  chance = 0;
  /** The same for questions, where that is more. */
  questionChance = 0;
  /** An answer of "done" without an effect: found by the comparison of the books alone. */
  loses = false;
  /** A write goes wrong every other time, and is done later: so late that the next attempt comes first. */
  isLate = false;
  faultsInjected = 0;
  readonly #outages: Outage[] = [];
  #isQuiet = false;
  readonly #callsTo = new Map<string, number>();

  constructor(private readonly options: VendorsOptions) {
    const { clock, seed } = options;
    const vendorClock = {
      now: clock.now,
      later: (ms: number, work: () => void) => void clock.later(ms, () => this.#lateEffect(work)),
    };
    const common = { secrets, clock: vendorClock, random: mulberry32(seed + 2) };
    this.energy = new EnergyCenter({
      ...common,
      basePath: '/energy',
      closeWhileProcessing: seed % 2 === 0 ? 'closes' : 'busy',
    });
    this.meican = new Meican({
      ...common,
      settleMs: SETTLE_MS,
      dishes: new Map(dishes.map(({ id, name }) => [Number(id), cooked(name)])),
      optionalFields: seed % 3 !== 0,
      multiTellsId: seed % 2 === 0,
    });
  }

  #lateEffect(work: () => void): void {
    this.options.tell('… the vendor does what it had put off');
    work();
  }

  /** From now on, for `ms`, the vendor answers everything like that. */
  outage(vendor: Vendor, ms: number, fault: FaultKind): void {
    const fromMs = this.options.clock.ms;
    this.#outages.push({ vendor, fromMs, untilMs: fromMs + ms, fault });
  }

  /** A call that was under way in that time met an outage of its vendor. */
  wasOut(call: string, fromMs: number, untilMs: number): boolean {
    return this.#outages.some(
      (outage) => call.startsWith(outage.vendor) && outage.fromMs <= untilMs && fromMs < outage.untilMs,
    );
  }

  /** No more faults. */
  quiet(): void {
    this.chance = 0;
    this.questionChance = 0;
    this.#isQuiet = true;
  }

  deliver(
    caller: string,
    vendor: Vendor,
    request: Request,
    { requestId, traceparent }: CallContext,
  ): { answer: VendorAnswer; afterMs: number } {
    const sent = { ...request.headers, 'X-Request-Id': requestId, traceparent };
    const headers = Object.fromEntries(
      Object.entries(sent).map(([name, value]) => [name.toLowerCase(), value]),
    );
    const wanted: VendorRequest = {
      method: request.method,
      path: request.path,
      headers,
      body: request.body ?? '',
    };
    const call = vendor === 'meican' ? meicanCallOf(wanted).call : energyCallOf(wanted);
    const fault =
      call && this.#faultOf(vendor, call, `${request.method} ${request.path.replace(/\?.*/, '')}`);
    const answer = this[vendor].handle(wanted, fault);
    const said = answer.kind === 'answer' ? `${answer.status} ${answer.text.slice(0, 110)}` : answer.code;
    const number = fault
      ? ` fault ${this.faultsInjected}, ${JSON.stringify({ ...fault, call: undefined })}:`
      : '';
    this.options.tell(`${caller} → ${call ?? request.path}${whatOf(wanted)}:${number} ${said}`);
    if (answer.kind === 'answer' && answer.text.length > ANSWER_MAX_CHARACTERS)
      return { answer: { kind: 'no-answer', sent: true, code: 'TOO_LARGE' }, afterMs: 0 };
    return { answer, afterMs: answer.afterMs ?? 0 };
  }

  #faultOf(vendor: Vendor, call: Call, address: string): Fault | undefined {
    const nth = (this.#callsTo.get(address) ?? 0) + 1;
    this.#callsTo.set(address, nth);
    const outage = this.#isQuiet
      ? undefined
      : this.#outages.find(
          (one) =>
            one.vendor === vendor &&
            one.fromMs <= this.options.clock.ms &&
            this.options.clock.ms < one.untilMs,
        );
    if (outage) return { call, ...outage.fault };
    const chance = chanceOf(this.options.seed, `${address}#${nth}`);
    const isWrite = !isQuestion(call);
    const late = this.isLate && isWrite && this.chance > 0;
    if (chance() >= (late ? 0.5 : isWrite ? this.chance : Math.max(this.chance, this.questionChance)))
      return undefined;
    if (this.options.spared.has(++this.faultsInjected)) return undefined;
    return late
      ? { call, kind: 'late-effect', ms: LATE_MAX_MS * (0.5 + chance() / 2) }
      : this.#anyFault(call, chance);
  }

  /** One kind is as likely as another, whatever the number of its variants. */
  #anyFault(call: Call, chance: () => number): Fault | undefined {
    const durations = {
      latencyMs: chance() * CALL_TIMEOUT_MS * 2,
      lateMs: 500 + chance() * (LATE_MAX_MS - 500),
      processingMs: 500 + chance() * (LATE_MAX_MS - 500),
      lagMs: READ_LAG_MS,
      retryAfterS: 1 + Math.floor(chance() * 9),
      oversizeBytes: ANSWER_MAX_CHARACTERS,
    };
    const faults = everyFault(call, durations).filter(
      ({ kind }) => !LEFT_OUT.includes(kind) && (kind !== 'lost-effect' || this.loses),
    );
    const kinds = Object.fromEntries(
      faults.map(({ kind }) => [kind, kind === 'processing' ? PROCESSING_WEIGHT : 1]),
    );
    const kind = weighted(kinds, chance());
    return pick(
      faults.filter((fault) => fault.kind === kind),
      chance(),
    );
  }

  /** What the vendors' own books say. */
  books(): VendorBooks {
    return vendorBooksOf(this.energy, this.meican);
  }
}

function whatOf({ path, body }: VendorRequest): string {
  const no = /"out(?:Refund|Trade)No":"([^"]*)"|(?:^|&)email=([^&]*)|orderId=([^&]*)|"recordNo":"([^"]*)"/
    .exec(body)
    ?.slice(1)
    .find(Boolean);
  return ` ${no ?? path.replace(/\?.*/, '').split('/').slice(3).join('/')}`;
}
