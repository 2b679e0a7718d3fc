/** One way in which two books disagree about one order, one dish or one cabinet. */
export const driftKinds = [
  'stock-differs', // taken ≠ live orders, for a dish or a cabinet
  'event-errored', // a person must decide
  'meal-missing', // live, but not in Meican's list: "OK" without effect, or cancelled there
  'meal-of-ended-order', // ended, but Meican still cooks it
  'meal-unknown-to-us', // in Meican's list for one of our diners and meals, recorded nowhere
  'money-missing', // live, but the energy center keeps less than the price
  'money-kept', // not live, but the energy center keeps points of it
  'payment-stuck', // PAYING, and no guard that will end it
  'placement-stuck', // ORDERING, and no placement that will end it
  'refund-stuck', // ended, the refund PENDING, and nothing that will make it
  'coffee-stuck', // a coffee trade PENDING without an open event
  'consumption-stuck', // a till record PENDING without an open event
] as const;
export type DriftKind = (typeof driftKinds)[number];

export interface Drift {
  readonly kind: DriftKind;
  readonly orderId: string | null;
  readonly orderNo: string | null;
  /** For a person; no names, no addresses. */
  readonly what: string;
  readonly eventId: string | null;
  /** What a repair needs to know besides. */
  readonly meicanOrderId?: string | null;
  readonly keptInCent?: number;
  /** The row of what another system handed in. */
  readonly handedIn?: { readonly table: 'coffee_trade' | 'canteen_consumption'; readonly id: string };
  readonly stockOf?: { readonly table: 'box_dish' | 'box_sideboard'; readonly id: string };
}
