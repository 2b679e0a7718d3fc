import type { AlertGroup } from '../../alerts/group.js';
import type { OperatorAction } from '../../entities/operator-action.js';
import type { OutboxEvent } from '../../entities/outbox-event.js';
import type { Why } from '../../operate/why.js';
import type { readEvent } from '../../orders/event-story.js';
import type { OrderView } from '../../orders/view.js';
import type { EventHandler } from '../../outbox/types.js';

export type Story = NonNullable<Awaited<ReturnType<typeof readEvent>>>;
export type Attempt = Story['attempts'][number];

export interface EventView {
  readonly event: OutboxEvent;
  readonly story: Story;
  readonly why: Why;
  /** Why the event may not be discarded; null when it may. */
  readonly notDiscardable: string | null;
  readonly order: OrderView | null;
  /** Errored events of the same cause, this one included. */
  readonly sameCause: number;
  readonly group: AlertGroup | null;
  readonly acts: readonly OperatorAction[];
  readonly handler: EventHandler | undefined;
  /** Whether the last two answers are compared. */
  readonly compare: boolean;
  readonly links: { readonly trace: string | undefined; readonly log: string | undefined };
  readonly now: Date;
}
