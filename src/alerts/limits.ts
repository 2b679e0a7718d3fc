/** The first message of a group waits for company. */
export const FIRST_AFTER_MS = 10_000;
/** A group whose message was given up because its workers died speaks again after this. */
export const AFTER_CRASHES_MS = 60_000;
/** Then at most one message a group in this time. */
export const DIGEST_EVERY_MS = 5 * 60_000;
/** WeCom allows a robot 20 a minute and blocks it for a minute beyond; we keep clear of it. */
export const MESSAGES_PER_MINUTE = 15;
/** More errored events than this within the window raise one alert more, for an event type with a surge rule. */
export const SURGE_MAX = 5;
export const SURGE_WINDOW_MS = 10 * 60_000;
/** A group that is not about single events counts as recovered when nothing was added for so long. */
export const QUIET_MS = 10 * 60_000;
/**
 * A vendor counts as back when no process has met its open breaker for so long; a canary goes at least every
 * minute.
 */
export const VENDOR_QUIET_MS = 150_000;
/** A scheduler counts as back when no API has missed one for so long. */
export const QUIET_POLLER_MS = 60_000;
/** Drift of the books counts as mended when the hourly comparison has not found it again. */
export const DRIFT_QUIET_MS = 2 * 3_600_000;
