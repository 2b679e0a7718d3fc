import type { Call, Fault } from './faults.js';
import type { Ledger } from './ledger.js';

export interface VendorRequest {
  readonly method: string;
  /** As this server sees it. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

export interface Reply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string;
}

/** A request understood: which call it is, and what carrying it out does and answers. */
export interface Understood {
  readonly call: Call;
  /** Null when the caller proved who it is; else the refusal, and nothing is executed. */
  readonly refusal: Reply | null;
  /** Carries it out on the books. `fault` only where the misbehaviour is in the books themselves (multi, processing, read lag, …). */
  apply(fault: Fault | undefined): Reply;
  /** A refusal by code, without effect. */
  refuse(code: string | undefined): Reply;
  rateLimit(): Reply;
}

export interface VendorOptions {
  readonly ledger: Ledger;
  readonly now: () => number;
  /** Refunds are not deduplicated by their number. */
  readonly legacyMode: boolean;
  readonly later: (ms: number, work: () => void) => void;
  readonly settings: SandboxSecrets;
}

export interface SandboxSecrets {
  readonly meicanCorpToken: string;
  readonly energyAppSecret: string;
  readonly wecomCorpSecret: string;
}

export const json = (body: unknown, status = 200, headers: Record<string, string> = {}): Reply => ({
  status,
  headers: { 'Content-Type': 'application/json; charset=utf-8', ...headers },
  body: JSON.stringify(body),
});
