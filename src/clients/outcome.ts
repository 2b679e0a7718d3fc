/** How a call to a vendor ended. Retries may turn `not-applied` into errored; they never turn `unknown` into "it did not happen". */
export type Outcome<T> =
  /** The vendor's books changed, or had been changed by the same call before (`duplicate`). */
  | { readonly kind: 'applied'; readonly value: T; readonly duplicate: boolean }
  /** Refused for good. `code` is the vendor's own, or `HTTP_<status>`. */
  | { readonly kind: 'rejected'; readonly code: string; readonly message: string }
  /** Surely not executed; may work later. */
  | {
      readonly kind: 'not-applied';
      readonly code: string;
      readonly message: string;
      readonly retryAfterMs: number | null;
    }
  /** No trustworthy answer: it may have happened. Ask before repeating. */
  | { readonly kind: 'unknown'; readonly code: string; readonly message: string };

export type Unknown = Extract<Outcome<unknown>, { kind: 'unknown' }>;

export const applied = <T>(value: T, duplicate = false): Outcome<T> => ({
  kind: 'applied',
  value,
  duplicate,
});
export const rejected = (code: string, message: string): Outcome<never> => ({
  kind: 'rejected',
  code,
  message,
});
export const notApplied = (
  code: string,
  message: string,
  retryAfterMs: number | null = null,
): Outcome<never> => ({
  kind: 'not-applied',
  code,
  message,
  retryAfterMs,
});
export const unknown = (code: string, message: string): Outcome<never> => ({
  kind: 'unknown',
  code,
  message,
});

/** The vendor has the request and is still working on it: ask again later. */
export const PROCESSING = 'PROCESSING';
