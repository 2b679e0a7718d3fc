interface DriverError {
  code?: string;
  errno?: number;
  message?: string;
  driverError?: DriverError;
}

/** Deadlock, lock wait timeout, busy file: the whole transaction was, or must be, undone and may be run again. */
export function isTransient(error: unknown): boolean {
  const { code, errno } = error as DriverError;
  return (
    errno === 1213 ||
    errno === 1205 ||
    code === 'ER_LOCK_DEADLOCK' ||
    code === 'ER_LOCK_WAIT_TIMEOUT' ||
    code === 'SQLITE_BUSY' ||
    code === 'SQLITE_BUSY_SNAPSHOT'
  );
}

/** The server or the way to it is gone; what a running COMMIT did is unknown to us. */
export function isDisconnected(error: unknown): boolean {
  const { code } = error as DriverError;
  return [
    'PROTOCOL_CONNECTION_LOST',
    'ECONNREFUSED',
    'ECONNRESET',
    'ETIMEDOUT',
    'EPIPE',
    'ENOENT',
    'ER_SERVER_SHUTDOWN',
    'ER_CONNECTION_KILLED',
    'PROTOCOL_ENQUEUE_AFTER_FATAL_ERROR',
    'DATABASE_TIMEOUT',
  ].includes(code ?? '');
}

/** The connection was lost while COMMIT was under way: all that the transaction wrote is kept, or nothing is, and nobody told us which. */
export class CommitUnknown extends Error {
  override readonly name = 'CommitUnknown';
  readonly code: string | undefined;
  constructor(cause: unknown) {
    super('the connection was lost during the commit', { cause });
    this.code = (cause as DriverError).code;
  }
}

/** Read-only, full, or out of connections: it answers, and takes nothing now. 1290, 1836, 1792; 1021, 1114; 1040, 1203. */
const REFUSING = new Set([1290, 1836, 1792, 1021, 1114, 1040, 1203]);
/** It took longer than it may: MariaDB 1969, MySQL 3024. */
const TOO_LONG = new Set([1969, 3024]);

/** Not this statement's fault: the same one may work when the database is itself again. */
export function isUnavailable(error: unknown): boolean {
  const { code, errno } = error as DriverError;
  return (
    isDisconnected(error) ||
    isTransient(error) ||
    REFUSING.has(errno ?? 0) ||
    TOO_LONG.has(errno ?? 0) ||
    code === 'SQLITE_FULL' ||
    code === 'SQLITE_READONLY'
  );
}

/**
 * The name of the unique index (MySQL) or of the first column (SQLite) that a row collided with, else null.
 * Both contain the column's name, so callers ask `duplicateOf(e)?.includes('live_key')`.
 */
export function duplicateOf(error: unknown): string | null {
  const { code, errno, message = '' } = error as DriverError;
  if (errno === 1062 || code === 'ER_DUP_ENTRY') return /for key '([^']*)'/.exec(message)?.[1] ?? 'unknown';
  if (code === 'SQLITE_CONSTRAINT_UNIQUE' || code === 'SQLITE_CONSTRAINT_PRIMARYKEY')
    return /failed: (.*)$/.exec(message)?.[1] ?? 'unknown';
  return null;
}
