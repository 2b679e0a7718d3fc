import { z } from 'zod';
import { day, id } from '../../base/fields.js';
import { Problem } from '../../base/problems.js';
import { reveal } from '../../orders/reveal.js';
import { applyRepair, type Remedy, type Repaired } from '../../reconcile/repair.js';
import { act, type Tables } from './act.js';

export const revealDiner = act({
  name: 'reveal',
  on: 'order',
  input: null,
  reason: 'none',
  words: { zh: '显示姓名和邮箱', en: 'Show name and e-mail' },
  route: {
    url: '/v1/orders/:id/reveal',
    summary: 'The name and e-mail of who ordered; kept in the audit',
  },
  form: { urls: ['/console/orders/:id/reveal'] },
  command: { name: 'orders reveal', says: 'the name and e-mail of who ordered; kept in the audit' },
  run: ({ database }: Tables, order, by) => reveal(database, order.id, by),
});

/** What would mend the differences of one day, and how far the vendors were asked. */
export interface RepairPlan {
  readonly unanswered: number;
  readonly notReached: number;
  readonly next: string | null;
  readonly remedies: readonly Remedy[];
}

export interface BooksOfDay extends Tables {
  planOf(day: string, after: string | undefined): Promise<RepairPlan>;
}

export interface RepairDone extends Omit<RepairPlan, 'remedies'> {
  readonly results: readonly Repaired[];
}

export const repairBooks = act({
  name: 'repair',
  on: null,
  input: z.object({
    day,
    after: id.optional(),
    orderNos: z.array(z.string().min(1).max(32)).max(100).default([]),
  }),
  reason: 'required',
  words: { zh: '修复账目', en: 'Repair the books' },
  route: {
    url: '/v1/books/repairs',
    summary: 'Carry the plan out. Remedies marked careful only for the orders that are named',
  },
  form: { none: 'the console has no page of the books yet' },
  command: { name: 'books repair', says: 'what would mend each difference of one day; with --apply, do it' },
  async run({ database, planOf }: BooksOfDay, stated, by): Promise<RepairDone> {
    const { remedies, ...reached } = await planOf(stated.day, stated.after);
    if (reached.unanswered > 0 && remedies.length === 0)
      throw new Problem('dependency-unavailable', {
        detail: `${reached.unanswered} questions to the vendors got no answer`,
      });
    return { ...reached, results: await applyRepair(database, remedies, stated.orderNos, by) };
  },
});
