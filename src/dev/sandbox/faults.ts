/** How a vendor misbehaves: the table of `docs/sandbox.md`, by name. */
export const faultKinds = [
  'latency',
  'hang-before',
  'hang-after',
  'reset-before',
  'reset-after',
  'status-before',
  'status-after',
  'malformed-after',
  'late-effect',
  'lost-effect',
  'multi',
  'already-cancelled',
  'refused',
  'rate-limit',
  'processing',
  'read-lag',
  'unauthorized',
  'drip',
  'close-idle',
  'outage',
  'silent-drop',
  'oversize',
  'unsigned',
  'paid-early',
  'paid-before',
  'user-paying',
  'abnormal',
  'notify-lost',
  'notify-doubled',
  'notify-late',
  'notify-false',
] as const;
type FaultKind = (typeof faultKinds)[number];

export const calls = [
  'meican.addOrder',
  'meican.cancelOrder',
  'meican.listOrders',
  'energy.account',
  'energy.pay',
  'energy.queryPay',
  'energy.closePay',
  'energy.unPay',
  'energy.queryRefund',
  'energy.syncConsumption',
  'wecom.robot',
  'wecom.token',
  'wecom.message',
  'wechatpay.create',
  'wechatpay.query',
  'wechatpay.close',
  'wechatpay.refund',
  'wechatpay.queryRefund',
  'wechatpay.notify',
  'alipay.create',
  'alipay.query',
  'alipay.close',
  'alipay.refund',
  'alipay.queryRefund',
  'alipay.notify',
] as const;
export type Call = (typeof calls)[number];

export interface Fault {
  readonly kind: FaultKind;
  /** latency, late-effect, processing, read-lag, outage, paid-early, user-paying, abnormal (absent: for ever), notify-late: how long. Milliseconds. */
  readonly ms?: number;
  /** status-*: 500, 502, 503 or 504. */
  readonly status?: number;
  /** malformed-after: truncated, html, empty, null, null-data, blank-id, wrong-types. multi: own, foreign, none. processing: SUCCESS, FAILED. unauthorized: expired, void. unsigned: absent, other-key, probe. notify-false: forged, stale, unsigned, probe, unknown-serial, other-amount, other-merchant. */
  readonly variant?: string;
  /** refused: the vendor's code. */
  readonly code?: string;
}

export interface FaultRule extends Fault {
  /** A call, a vendor (`meican`), or absent: any. */
  readonly call?: string;
  /** How often it strikes; absent: until cleared. */
  readonly times?: number;
  /** The first so many matching calls pass. */
  readonly skip?: number;
}

export interface Chance {
  readonly seed: number;
  /** 0 to 1, for each request. */
  readonly probability: number;
  readonly kinds?: readonly FaultKind[];
}

/** What strikes by chance leaves the listener and the clocks alone. */
const BY_CHANCE: readonly FaultKind[] = [
  'latency',
  'hang-before',
  'hang-after',
  'reset-before',
  'reset-after',
  'status-before',
  'status-after',
  'malformed-after',
  'rate-limit',
  'read-lag',
  'oversize',
  'close-idle',
];

/** Decides which fault, if any, a request meets: a header first, then rules in the order given, then chance. */
export class Faults {
  #rules: { rule: FaultRule; left: number; skip: number }[] = [];
  #chance: { chance: Chance; random: () => number } | undefined;

  add(rules: readonly FaultRule[]): void {
    for (const rule of rules)
      this.#rules.push({ rule, left: rule.times ?? Number.POSITIVE_INFINITY, skip: rule.skip ?? 0 });
  }

  useChance(chance: Chance | undefined): void {
    this.#chance = chance ? { chance, random: mulberry32(chance.seed) } : undefined;
  }

  clear(): void {
    this.#rules = [];
    this.#chance = undefined;
  }

  list(): { rules: FaultRule[]; chance: Chance | null } {
    return {
      rules: this.#rules.map(({ rule, left }) => ({
        ...rule,
        ...(Number.isFinite(left) ? { times: left } : {}),
      })),
      chance: this.#chance?.chance ?? null,
    };
  }

  pick(call: Call, header: string | undefined): Fault | undefined {
    const asked = header ? parseHeader(header) : undefined;
    if (asked) return asked;
    for (const entry of this.#rules) {
      const { rule } = entry;
      if (rule.call !== undefined && rule.call !== call && rule.call !== call.split('.')[0]) continue;
      if (isNotification(call) !== rule.kind.startsWith('notify-')) continue;
      if (entry.left <= 0) continue;
      if (entry.skip > 0) {
        entry.skip -= 1;
        continue;
      }
      entry.left -= 1;
      this.#rules = this.#rules.filter((other) => other.left > 0);
      return rule;
    }
    return isNotification(call) ? undefined : this.#byChance();
  }

  #byChance(): Fault | undefined {
    if (!this.#chance) return undefined;
    const { chance, random } = this.#chance;
    if (random() >= chance.probability) return undefined;
    const kinds = chance.kinds ?? BY_CHANCE;
    const kind = kinds[Math.floor(random() * kinds.length)];
    if (!kind) return undefined;
    const status = [500, 502, 503, 504][Math.floor(random() * 4)] ?? 500;
    return { kind, status, ms: 200 + Math.floor(random() * 800) };
  }
}

/** No call of ours: the payer calls us. */
const isNotification = (call: Call): boolean => call.endsWith('.notify');

/** `reset-after`, or `{"kind":"status-after","status":503}`. */
function parseHeader(header: string): Fault | undefined {
  if (header.startsWith('{')) {
    try {
      const fault = JSON.parse(header) as Fault;
      return faultKinds.includes(fault.kind) ? fault : undefined;
    } catch {
      return undefined;
    }
  }
  const kind = faultKinds.find((known) => known === header);
  return kind ? { kind } : undefined;
}

/** A small seeded generator: the same seed, the same faults. */
export function mulberry32(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}
