interface DriverError {
  code?: string;
  errno?: number;
  message?: string;
  driverError?: DriverError;
}

/**
 * Deadlock, lock wait timeout or busy file: the whole transaction is undone, or must be, and may run again.
 */
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

/** The server, or the connection to it, is gone. If a COMMIT was running, its result is unknown. */
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

/**
 * The connection was lost during COMMIT: either the whole transaction is kept or nothing of it, and it is not
 * known which.
 */
export class CommitUnknown extends Error {
  override readonly name = 'CommitUnknown';
  readonly code: string | undefined;
  constructor(cause: unknown) {
    super('the connection was lost during the commit', { cause });
    this.code = (cause as DriverError).code;
  }
}

/**
 * The server answers, but accepts no write now. Read-only: 1290, 1836, 1792; full: 1021, 1114; too many
 * connections: 1040, 1203.
 */
const REFUSING = new Set([1290, 1836, 1792, 1021, 1114, 1040, 1203]);
/** The statement took longer than the server allows: MariaDB 1969, MySQL 3024. */
const TOO_LONG = new Set([1969, 3024]);

/** Not this statement's fault: the same statement may work once the database is well again. */
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
