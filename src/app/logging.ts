import { type DestinationStream, type Logger, type LoggerOptions, pino } from 'pino';
import { idsOf } from '../base/trace.js';
import { version } from '../base/version.js';
import { isUnavailable } from '../database/errors.js';
import type { Signals } from '../outbox/signals.js';

export type { Logger };

/** Characters of an error's message. Cut before matching: it may quote what came from outside. */
const MESSAGE_READ = 2_000;
const MESSAGE_KEPT = 500;

/** Structured logs on standard output, or where they are told to go. An error keeps its name, code, message and stack: never a request, a parameter or a header. */
export function createLogger(level: string, name: string, destination?: DestinationStream): Logger {
  const options: LoggerOptions = {
    level,
    base: { name, pid: process.pid, build: version },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
    serializers: { err: plainError, error: plainError, req: () => undefined, res: () => undefined },
    redact: {
      paths: [
        'authorization',
        'headers.authorization',
        '*.authorization',
        'email',
        'realName',
        '*.email',
        '*.realName',
        'token',
        '*.token',
        'secret',
        '*.secret',
      ],
      censor: '***',
    },
  };
  return destination ? pino(options, destination) : pino(options);
}

export function plainError(error: unknown): Record<string, unknown> | string | null {
  if (typeof error === 'string' || error === null) return error; // the code of a failed attempt
  if (!(error instanceof Error)) return { message: 'not an Error' };
  const { code } = error as { code?: unknown };
  // A duplicate-key message quotes the values of the row.
  const message = error.message
    .slice(0, MESSAGE_READ)
    .replace(/Duplicate entry '.*' for key/, "Duplicate entry '***' for key")
    .slice(0, MESSAGE_KEPT);
  return {
    type: error.name,
    message,
    ...(typeof code === 'string' ? { code } : {}),
    stack: error.stack?.split('\n').slice(1, 8).join('\n'),
  };
}

/** The engine's log lines, all in one place: one for each end of an attempt. */
export function logSignals(signals: Signals, logger: Logger): void {
  signals.on('attempt-ended', (attempt) => {
    const {
      eventId,
      eventType,
      subjectNo,
      attempt: number,
      outcome,
      target,
      status,
      durationMs,
      requestId,
      errorCode,
      decision,
      traceparent,
    } = attempt;
    const line = {
      event_id: eventId,
      event_type: eventType,
      order_no: subjectNo,
      attempt: number,
      outcome,
      target,
      duration_s: durationMs / 1000,
      status,
      err: errorCode,
      decision,
      request_id: requestId,
      ...idsOf(traceparent),
    };
    if (status === 'errored') logger.error(line, 'attempt ended: errored');
    else if (errorCode) logger.warn(line, 'attempt ended: to be repeated');
    else logger.info(line, 'attempt ended');
  });
  signals.on('lease-lost', ({ eventId, attempt }) =>
    logger.warn({ event_id: eventId, attempt }, 'lease lost: nothing was written'),
  );
  signals.on('settle-failed', ({ eventId, error }) => {
    if (!isUnavailable(error))
      logger.error(
        { event_id: eventId, err: error },
        'an attempt could not be settled; its lease will run out',
      );
  });
  signals.on('alert-failed', ({ eventId, eventType, error }) =>
    logger.fatal(
      { event_id: eventId, event_type: eventType, err: error },
      'the alert about an event could not be raised; the event itself is settled',
    ),
  );
  onceAnOutage(signals, logger);
  const open = new Set<string>();
  signals.on('breaker', ({ target, state }) => {
    if (state === 'open' && !open.has(target))
      logger.error({ target }, 'a vendor is down (not reached, or it answers nothing): its events wait');
    if (state === 'closed' && open.has(target))
      logger.info({ target }, 'a vendor can be reached again: its events go on');
    if (state === 'open') open.add(target);
    if (state === 'closed') open.delete(target);
  });
  const reported = new Map<string, number>();
  signals.on('left-alone', ({ type, version, count }) => {
    const key = `${type} ${version}`;
    if ((reported.get(key) ?? 0) > Date.now() - 600_000) return;
    reported.set(key, Date.now());
    logger.warn(
      { event_type: type, payload_version: version, count },
      'events of an unknown type or a newer version are left alone',
    );
  });
}

function onceAnOutage(signals: Signals, logger: Logger): void {
  let failing = false;
  const fails = ({ error }: { error: unknown }): void => {
    if (!failing) logger.error({ err: error }, 'the event table cannot be reached; sweeps go on');
    failing = true;
  };
  signals.on('sweep-failed', fails);
  signals.on('renew-failed', fails);
  signals.on('settle-failed', ({ error }) => {
    if (isUnavailable(error)) fails({ error });
  });
  signals.on('swept', () => {
    if (failing) logger.info('the event table can be reached again');
    failing = false;
  });
}
