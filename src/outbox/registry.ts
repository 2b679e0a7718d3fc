import type { EventHandler } from './types.js';

/** The event types that this process can carry out. */
export class Registry {
  readonly #byType = new Map<string, EventHandler>();

  constructor(handlers: readonly EventHandler<never>[]) {
    for (const handler of handlers as unknown as EventHandler[]) {
      if (this.#byType.has(handler.definition.type))
        throw new Error(`two handlers for the event type ${handler.definition.type}`);
      this.#byType.set(handler.definition.type, handler);
    }
  }

  find(type: string): EventHandler | undefined {
    return this.#byType.get(type);
  }

  /** Throws for a type that `knows` refuses. */
  get(type: string): EventHandler {
    const handler = this.#byType.get(type);
    if (!handler) throw new Error(`no handler for the event type ${type}`);
    return handler;
  }

  /** False for an unknown type and for a newer payload: both are left to a newer process. */
  knows(type: string, version: number): boolean {
    const handler = this.#byType.get(type);
    return handler !== undefined && version <= handler.definition.version;
  }

  /** A stored payload, parsed by its type's schema; undefined when this process cannot parse it. */
  payloadOf({ type, payload }: { readonly type: string; readonly payload: string }): unknown {
    try {
      return this.#byType.get(type)?.definition.schema.parse(JSON.parse(payload));
    } catch {
      return undefined;
    }
  }

  all(): EventHandler[] {
    return [...this.#byType.values()];
  }
}
