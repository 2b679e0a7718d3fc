/** THE table of errors that an API caller can meet: status, title, and whether repeating the same request may help. */
export const problems = {
  validation: { status: 400, title: 'The request does not fit its schema', retryable: false },
  'invalid-cursor': { status: 400, title: 'The cursor is not one that we gave out', retryable: false },
  'idempotency-key-missing': {
    status: 400,
    title: 'The Idempotency-Key header is missing or not 1–255 printable characters',
    retryable: false,
  },
  unauthorized: { status: 401, title: 'A valid token is needed', retryable: false },
  forbidden: { status: 403, title: 'Your role may not do this', retryable: false },
  'not-found': { status: 404, title: 'There is no such thing', retryable: false },
  'idempotency-in-progress': {
    status: 409,
    title: 'A request with this key is being worked on',
    retryable: true,
  },
  'order-busy': { status: 409, title: 'Somebody else is working on this order', retryable: true },
  'complaint-not-possible': {
    status: 409,
    title: 'This order cannot be complained about, now or at all',
    retryable: false,
  },
  'complaint-state': { status: 409, title: 'The complaint is in another state', retryable: false },
  'second-person-needed': {
    status: 403,
    title: 'Another person than the one who reviewed it must approve it',
    retryable: false,
  },
  'order-token-invalid': {
    status: 409,
    title: 'The Idempotency-Key must be a valid order token of yours',
    retryable: false,
  },
  'order-not-cancellable': { status: 409, title: 'The order can no longer be cancelled', retryable: false },
  'cutoff-passed': { status: 409, title: 'The cut-off of this meal has passed', retryable: false },
  'dish-sold-out': { status: 409, title: 'The dish is sold out', retryable: false },
  'sideboard-full': { status: 409, title: 'The cabinet is full', retryable: false },
  'already-ordered': { status: 409, title: 'There is a live order for this meal already', retryable: false },
  'insufficient-energy': { status: 409, title: 'Not enough energy points', retryable: false },
  'card-not-usable': { status: 409, title: 'The card cannot be used', retryable: false },
  'event-not-errored': { status: 409, title: 'Only an errored event can be requeued', retryable: false },
  'cause-not-open': {
    status: 409,
    title: 'Only an open cause can be marked as known, and only a known one unmarked',
    retryable: false,
  },
  'event-not-settleable': {
    status: 409,
    title: 'The event is not in a state that a person may settle like this',
    retryable: false,
  },
  'batch-refused': { status: 409, title: 'The batch cannot be carried out like this', retryable: false },
  'already-paused': { status: 409, title: 'It is paused already', retryable: false },
  'event-not-askable': {
    status: 409,
    title: 'There is no vendor to ask about this type of event',
    retryable: false,
  },
  'event-not-discardable': {
    status: 409,
    title: 'The event cannot be discarded as things stand',
    retryable: false,
  },
  conflict: { status: 409, title: 'The same number was used with another content before', retryable: false },
  'method-not-allowed': {
    status: 405,
    title: 'This resource does not know this method; see Allow',
    retryable: false,
  },
  'payload-too-large': { status: 413, title: 'The body is too large', retryable: false },
  'unsupported-media-type': { status: 415, title: 'The body must be application/json', retryable: false },
  'idempotency-key-reused': {
    status: 422,
    title: 'This key was used with another request',
    retryable: false,
  },
  'rate-limited': { status: 429, title: 'Too many requests', retryable: true },
  internal: { status: 500, title: 'Something went wrong on our side', retryable: true },
  'dependency-unavailable': {
    status: 503,
    title: 'A system that we need is not available; nothing was kept',
    retryable: true,
  },
  'outcome-unknown': {
    status: 503,
    title: 'We do not know whether this was kept; the same request with the same key will tell',
    retryable: true,
  },
  'payment-unknown': {
    status: 503,
    title: 'We do not know whether the payment happened; it is being rolled back',
    retryable: true,
  },
} as const;

export type ProblemCode = keyof typeof problems;

export interface ProblemDetails {
  readonly detail?: string;
  readonly errors?: readonly { readonly path: string; readonly message: string }[];
  readonly retryAfterS?: number;
  /** The methods that the resource knows: the header `Allow`. */
  readonly allow?: readonly string[];
  /** For the log. */
  readonly cause?: unknown;
  /** Further members of the answer. */
  readonly more?: Readonly<Record<string, unknown>>;
}

/** Thrown by a use case or an act; the API answers it as RFC 9457. It never carries a stack, SQL or another person's data. */
export class Problem extends Error {
  override readonly name = 'Problem';
  constructor(
    readonly code: ProblemCode,
    readonly details: ProblemDetails = {},
  ) {
    super(details.detail ?? problems[code].title, { cause: details.cause });
  }

  get status(): number {
    return problems[this.code].status;
  }
}

/** What a person wants to act on is in another state than the act needs: another person was faster, or their page is old. */
export class WrongState extends Problem {
  constructor(
    code: ProblemCode,
    readonly currentStatus: string,
  ) {
    super(code, { more: { currentStatus } });
  }
}

export interface ProblemBody {
  type: string;
  title: string;
  status: number;
  detail?: string;
  instance: string;
  code: ProblemCode;
  requestId: string;
  retryable: boolean;
  errors?: readonly { path: string; message: string }[];
}

export function problemBody(problem: Problem, instance: string, requestId: string): ProblemBody {
  const { status, title, retryable } = problems[problem.code];
  const { detail, errors, more } = problem.details;
  return {
    type: `/docs/problems#${problem.code}`,
    title,
    status,
    ...(detail ? { detail } : {}),
    instance,
    code: problem.code,
    requestId,
    retryable,
    ...(errors ? { errors } : {}),
    ...more,
  };
}
