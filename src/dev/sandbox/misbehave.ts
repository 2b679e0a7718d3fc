import type { ServerResponse } from 'node:http';
import type { Fault } from './faults.js';
import type { Ledger } from './ledger.js';
import { malform } from './malform.js';
import { json, type Reply, type Understood } from './vendor.js';

const OVERSIZE_BYTES = 8 * 1024 * 1024;
const DRIP_EVERY_MS = 400;

/** What a fault needs of the server that it strikes. */
export interface Stage {
  readonly ledger: Ledger;
  /** Late effects that are still to come. */
  lateCount: number;
  later(ms: number, work: () => void): void;
  outage(ms: number): Promise<void>;
}

/** One request that meets a fault. */
export interface Strike {
  readonly fault: Fault;
  readonly understood: Understood;
  readonly response: ServerResponse;
  readonly stage: Stage;
  /** Carries the request out on the books. */
  readonly apply: () => Reply;
  readonly finish: (reply: Reply) => void;
}

/** Answers in the manner of the fault, late, wrongly, or not at all. */
export function misbehave(strike: Strike): void {
  manners[strike.fault.kind](strike);
}

const obey = ({ apply, finish }: Strike): void => finish(apply());
const cutOff = ({ response }: Strike): void => void response.socket?.resetAndDestroy();

const manners: Record<Fault['kind'], (strike: Strike) => void> = {
  latency: answerLater,
  'paid-early': answerLater,
  'hang-before': () => {},
  'hang-after': ({ apply }) => void apply(),
  'reset-before': cutOff,
  'reset-after'(strike) {
    strike.apply();
    cutOff(strike);
  },
  'status-before': ({ fault, finish }) => finish(gatewayError(fault.status)),
  'status-after'({ fault, apply, finish }) {
    apply();
    finish(gatewayError(fault.status));
  },
  'malformed-after': ({ fault, apply, finish }) => finish(malform(apply(), fault.variant)),
  'late-effect'({ fault, stage, apply, finish }) {
    stage.lateCount += 1;
    stage.later(fault.ms ?? 3_000, () => {
      stage.lateCount -= 1;
      apply();
    });
    finish(gatewayError(504));
  },
  'lost-effect': ({ stage, understood, finish }) =>
    finish(stage.ledger.undone(() => understood.apply(undefined))),
  // These misbehave in the books themselves.
  multi: obey,
  'already-cancelled': obey,
  processing: obey,
  'read-lag': obey,
  'silent-drop': obey,
  unsigned: obey,
  'paid-before': obey,
  'user-paying': obey,
  abnormal: obey,
  // These strike a notification, never a call.
  'notify-lost': obey,
  'notify-doubled': obey,
  'notify-late': obey,
  'notify-false': obey,
  refused: ({ fault, understood, finish }) => finish(understood.refuse(fault.code)),
  'rate-limit': ({ fault, understood, finish }) =>
    finish(fault.variant === 'http' ? tooManyRequests : understood.rateLimit()),
  unauthorized: ({ understood, apply, finish }) =>
    finish(understood.call === 'wecom.message' ? apply() : badSignature),
  drip: ({ apply, response }) => drip(apply(), response),
  'close-idle'(strike) {
    obey(strike);
    strike.stage.later(20, () => strike.response.socket?.destroy());
  },
  outage: ({ fault, stage }) => void stage.outage(fault.ms ?? 1_000),
  oversize({ apply, finish }) {
    const reply = apply();
    finish({ ...reply, body: `${reply.body.slice(0, -1)},"padding":"${'x'.repeat(OVERSIZE_BYTES)}"}` });
  },
};

function answerLater({ fault, stage, apply, finish }: Strike): void {
  const reply = apply();
  stage.later(fault.ms ?? 1_000, () => finish(reply));
}

const tooManyRequests: Reply = {
  status: 429,
  headers: { 'Retry-After': '1', 'Content-Type': 'text/plain' },
  body: 'slow down',
};
const badSignature = json(
  { code: 40_101, resultCode: 'UNAUTHORIZED', message: 'signature', result: null },
  401,
);

function gatewayError(status = 502): Reply {
  return status === 500 || status === 503
    ? json({ error: 'internal' }, status)
    : {
        status,
        headers: { 'Content-Type': 'text/html' },
        body: `<html><body><h1>${status}</h1></body></html>`,
      };
}

/** Two characters at a time, and spaces for ever after. */
function drip(reply: Reply, response: ServerResponse): void {
  response.writeHead(reply.status, { ...reply.headers });
  let at = 0;
  const timer = setInterval(() => {
    response.write(at < reply.body.length ? reply.body.slice(at, at + 2) : ' ');
    at += 2;
  }, DRIP_EVERY_MS);
  response.on('close', () => clearInterval(timer));
}
