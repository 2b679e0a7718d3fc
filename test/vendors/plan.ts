import { type Call, type Fault, type FaultKind, type PayerName, type Vendor, vendorOf } from './fault.js';
import type { Clock, Random } from './vendor.js';

/** While it lasts, every call of the vendor (or the named calls) meets this kind of fault. */
export interface Window {
  readonly vendor: Vendor | PayerName;
  readonly calls?: readonly Call[];
  readonly fromMs: number;
  readonly untilMs: number;
  readonly fault: FaultKind;
}

/** Each call of the list meets a fault with this probability; which, is drawn from `faults(call)`. */
export interface Seeded {
  readonly calls: readonly Call[];
  readonly probability: number;
  readonly faults: (call: Call) => readonly FaultKind[];
}

/** Decides which fault a call meets: a window of time first, then the script of that call, then chance. Deterministic by clock and random. */
export class FaultPlan {
  /** Every fault that was met, with its instant. */
  readonly met: { at: number; fault: Fault }[] = [];
  /** How often each call arrived. */
  readonly arrived = new Map<Call, number>();
  private readonly scripts = new Map<Call, (FaultKind | null)[]>();
  private windows: Window[] = [];
  private seeded: Seeded[] = [];
  private isHeld = false;
  private readonly clock: Clock;
  private readonly random: Random;

  constructor(deps: { clock: Clock; random: Random }) {
    this.clock = deps.clock;
    this.random = deps.random;
  }

  /** The next calls of this name meet these faults, in order; null is a call that goes well. */
  next(call: Call, ...faults: (FaultKind | null)[]): void {
    this.scripts.set(call, [...(this.scripts.get(call) ?? []), ...faults]);
  }

  during(window: Window): void {
    this.windows.push(window);
  }

  /** From now on, for `ms`. */
  for(ms: number, vendor: Vendor | PayerName, fault: FaultKind, calls?: readonly Call[]): void {
    const fromMs = this.clock.now();
    this.during({ vendor, fromMs, untilMs: fromMs + ms, fault, ...(calls ? { calls } : {}) });
  }

  withChance(seeded: Seeded): void {
    this.seeded.push(seeded);
  }

  clear(): void {
    this.scripts.clear();
    this.windows = [];
    this.seeded = [];
  }

  /** While held, every call goes well and nothing is spent: a judge asks the vendors, too. */
  hold(isHeld: boolean): void {
    this.isHeld = isHeld;
  }

  /** How many scripted faults have not been met yet. */
  waiting(): number {
    return [...this.scripts.values()].flat().filter((fault) => fault !== null).length;
  }

  take(call: Call): Fault | undefined {
    if (this.isHeld) return undefined;
    this.arrived.set(call, (this.arrived.get(call) ?? 0) + 1);
    const kind = this.byWindow(call) ?? this.byScript(call);
    return kind === null ? undefined : this.meet(call, kind ?? this.byChance(call));
  }

  private meet(call: Call, kind: FaultKind | undefined): Fault | undefined {
    if (!kind) return undefined;
    const fault: Fault = { call, ...kind };
    this.met.push({ at: this.clock.now(), fault });
    return fault;
  }

  private byWindow(call: Call): FaultKind | undefined {
    const now = this.clock.now();
    const holds = (w: Window): boolean =>
      w.fromMs <= now && now < w.untilMs && w.vendor === vendorOf(call) && (w.calls?.includes(call) ?? true);
    return this.windows.find(holds)?.fault;
  }

  private byScript(call: Call): FaultKind | null | undefined {
    return this.scripts.get(call)?.shift();
  }

  private byChance(call: Call): FaultKind | undefined {
    for (const { calls, probability, faults } of this.seeded) {
      if (!calls.includes(call) || this.random() >= probability) continue;
      const kinds = faults(call);
      return kinds[Math.floor(this.random() * kinds.length)];
    }
    return undefined;
  }
}
