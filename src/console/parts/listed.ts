export interface Listed<T> {
  readonly rows: readonly T[];
  /** The cursor of the next page, or null. */
  readonly nextId: string | null;
}
