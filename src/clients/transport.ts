import http from 'node:http';
import https from 'node:https';
import type { Socket } from 'node:net';
import axios, { type AxiosError, type AxiosInstance, type AxiosRequestConfig } from 'axios';
import axiosRetry from 'axios-retry';
import type { Hide } from '../base/hide.js';
import { redact, redactSide } from '../base/redact.js';
import { startSpan } from '../base/trace.js';
import type { Exchange } from '../entities/event-attempt.js';

/** What a caller hands down to every call. */
export interface CallContext {
  readonly signal?: AbortSignal;
  /** Asked right before each request: false when whoever calls has lost the right to, e.g. in a process that stood still for a while. */
  readonly mayStart?: () => boolean;
  readonly requestId: string;
  readonly traceparent: string;
  /** Names and addresses of the person whom the call is about, where the caller knows them: hidden in all that is kept of it. */
  readonly about?: readonly string[];
  /** Hears of every call, redacted. */
  readonly journal?: (exchange: Exchange) => void;
}

export interface Request {
  readonly method: 'GET' | 'POST';
  /** Relative to the base URL, query included. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
  /** Changes nothing at the vendor: repeated by itself after a network error. */
  readonly isRead: boolean;
}

export type Answer =
  | {
      readonly kind: 'answer';
      readonly status: number;
      readonly headers: Readonly<Record<string, unknown>>;
      readonly text: string;
    }
  /** `sent` false: surely not executed. */
  | { readonly kind: 'no-answer'; readonly sent: boolean; readonly code: string };

export interface TransportOptions {
  readonly baseUrl: string;
  /** From the first byte sent to the last byte received, repeats included. Milliseconds. */
  readonly timeoutMs: number;
}

const ANSWER_MAX_BYTES = 2 * 1024 * 1024;
const READ_REPEATS = 2;
const NEVER_SENT = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EPROTO',
]);
const TLS_ERROR = /^(ERR_TLS|ERR_SSL|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_)/;

/** Carries a request to a vendor and says what came back. HTTP in production; anything where the vendor itself is simulated. */
export interface Carrier {
  pathOf(path: string): string;
  send(request: Request, context: CallContext): Promise<Answer>;
  close(): void;
}

/**
 * HTTP to one vendor. Returns what came back, whatever the status; decides only whether the request can have been executed.
 * Writes use a fresh connection each: an idle one that the vendor has closed answers a POST with ECONNRESET, which nobody can tell
 * from "done, and the answer lost".
 */
export class Transport implements Carrier {
  readonly #axios: AxiosInstance;
  readonly #baseUrl: string;
  readonly #host: string;
  readonly #isTls: boolean;
  readonly #reads: http.Agent;

  constructor(private readonly options: TransportOptions) {
    this.#baseUrl = options.baseUrl.replace(/\/+$/, '');
    const { host, protocol } = new URL(this.#baseUrl);
    this.#host = host;
    this.#isTls = protocol === 'https:';
    this.#reads = agentOf(this.#isTls, { keepAlive: true, maxSockets: 20 });
    this.#axios = axios.create({
      baseURL: this.#baseUrl,
      responseType: 'text',
      transformResponse: (data: unknown) => data, // text stays text; the clients parse and validate it
      validateStatus: () => true,
      maxRedirects: 0,
      maxContentLength: ANSWER_MAX_BYTES,
      proxy: false,
    });
    axiosRetry(this.#axios, {
      retries: READ_REPEATS,
      shouldResetTimeout: false,
      // The default would repeat a POST after ECONNRESET: an order placed four times.
      retryCondition: (error) =>
        (error.config as { isRead?: boolean } | undefined)?.isRead === true &&
        error.code !== 'ERR_CANCELED' &&
        axiosRetry.isNetworkError(error),
      retryDelay: (count) => Math.min(500, 20 * 2 ** count),
    });
  }

  /** The path that the vendor's server sees, without the query. */
  pathOf(path: string): string {
    return new URL(`${this.#baseUrl}${path}`).pathname;
  }

  async send(request: Request, context: CallContext): Promise<Answer> {
    if (context.signal?.aborted) return { kind: 'no-answer', sent: false, code: 'ABORTED' };
    if (context.mayStart?.() === false) return { kind: 'no-answer', sent: false, code: 'LEASE_OVER' };
    const deadline = AbortSignal.timeout(this.options.timeoutMs); // a dripping body outlives axios' own timeout
    const signal = context.signal ? AbortSignal.any([context.signal, deadline]) : deadline;
    const line = request.isRead ? null : freshLine(this.#isTls);
    const agent = line?.agent ?? this.#reads;
    const path = this.pathOf(request.path);
    const span = startSpan('client', `${request.method} ${path}`, context.traceparent, {
      'http.request.method': request.method,
      'url.path': path,
      'server.address': this.#host,
    });
    const config: AxiosRequestConfig & { isRead: boolean } = {
      method: request.method,
      url: request.path,
      headers: { ...request.headers, 'X-Request-Id': context.requestId, traceparent: span.traceparent },
      signal,
      isRead: request.isRead,
      ...(request.body === null ? {} : { data: request.body }),
      ...(this.#isTls ? { httpsAgent: agent } : { httpAgent: agent }),
    };
    try {
      const response = await this.#axios.request<string>(config);
      span.end(
        { 'http.response.status_code': response.status },
        response.status >= 500 ? String(response.status) : null,
      );
      return {
        kind: 'answer',
        status: response.status,
        headers: response.headers as Record<string, unknown>,
        text: response.data ?? '',
      };
    } catch (error) {
      const code = deadline.aborted ? 'TIMEOUT' : ((error as AxiosError).code ?? 'NETWORK_ERROR');
      span.end({}, code);
      const never = NEVER_SENT.has(code) || TLS_ERROR.test(code) || line?.stood() === false;
      return { kind: 'no-answer', sent: !never, code };
    }
  }

  close(): void {
    this.#reads.destroy();
  }
}

/**
 * A connection of its own for one request, which knows whether it ever stood (with TLS: whether the handshake was over). What was
 * asked over one that never did, e.g. because every packet was swallowed, was surely not executed.
 */
function freshLine(isTls: boolean) {
  let stood = false;
  const agent = agentOf(isTls, { keepAlive: false });
  const create = agent.createConnection.bind(agent) as (...given: unknown[]) => Socket;
  agent.createConnection = ((...given: unknown[]) =>
    create(...given).once(isTls ? 'secureConnect' : 'connect', () => {
      stood = true;
    })) as typeof agent.createConnection;
  return { agent, stood: () => stood };
}

function agentOf(isTls: boolean, options: http.AgentOptions): http.Agent {
  return isTls ? new https.Agent(options) : new http.Agent(options);
}

/** `Retry-After` in milliseconds (seconds or an HTTP date), at most five minutes; null when absent or nonsense. */
export function retryAfterMs(headers: Readonly<Record<string, unknown>>): number | null {
  const value = headers['retry-after'];
  if (typeof value !== 'string') return null;
  const ms = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - Date.now();
  return Number.isFinite(ms) ? Math.min(Math.max(ms, 0), 300_000) : null;
}

/** How far the vendor's clock is ahead of ours, from its `Date` header; 0 when it does not say. */
export function clockOffsetMs(headers: Readonly<Record<string, unknown>>): number {
  const date = typeof headers.date === 'string' ? Date.parse(headers.date) : Number.NaN;
  return Number.isFinite(date) ? date - Date.now() : 0;
}

export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Signs that are no text, and act where they are shown. Line ends and tabs stay: a vendor's page has them. */
const ACTING = /[^\P{Cc}\n\r\t]|[\p{Cf}\p{Cs}]/gu;

/** The journal's entry for a call: no query string, nothing secret, nothing personal. */
export function recordOf(
  call: string,
  request: Request,
  answer: Answer,
  outcome: { kind: Exchange['outcome']; code?: string },
  startedMs: number,
  at: Date,
  hide: Hide,
): Exchange {
  const side = (text: string): string => redactSide(text, (cut) => hide(cut).replace(ACTING, '\uFFFD'));
  return {
    call,
    at: at.toISOString(),
    durationMs: Math.round(performance.now() - startedMs),
    request: {
      method: request.method,
      path: redact(hide(request.path.split('?')[0] ?? '')),
      headers: shownHeaders(request.headers, hide),
      body: request.body === null ? null : side(decodeForm(request.body)),
    },
    answer:
      answer.kind === 'answer'
        ? { status: answer.status, headers: shownHeaders(answer.headers, hide), body: side(answer.text) }
        : { status: null, body: null },
    outcome: outcome.kind,
    code: outcome.code ?? (answer.kind === 'no-answer' ? answer.code : null),
  };
}

const PLAIN_HEADERS = [
  'accept',
  'content-type',
  'content-length',
  'date',
  'location',
  'retry-after',
  'server',
  'via',
  'x-request-id',
];
const HEADER_MAX = 200;

/** Every header by its name in lower case, whatever case it came in; the values of those only that are known to hold no secret. */
function shownHeaders(headers: Readonly<Record<string, unknown>>, hide: Hide): Record<string, string> {
  const names = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value] as const);
  return Object.fromEntries(
    names
      .slice(0, 30)
      .map(([name, value]) => [
        name,
        PLAIN_HEADERS.includes(name) ? redact(hide(String(value))).slice(0, HEADER_MAX) : '***',
      ]),
  );
}

/** A form is kept as JSON, so that a person can read it. */
function decodeForm(body: string): string {
  return body.startsWith('{') ? body : JSON.stringify(Object.fromEntries(new URLSearchParams(body)));
}
