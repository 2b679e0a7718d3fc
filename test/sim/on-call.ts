import { Problem } from '../../src/base/problems.js';
import { isUnavailable } from '../../src/database/errors.js';
import { fromSqlInstantOrNull, sql } from '../../src/database/sql.js';
import { ask } from '../../src/operate/ask.js';
import { executeBatch } from '../../src/operate/batch/execute.js';
import { previewBatch } from '../../src/operate/batch/preview.js';
import { discard } from '../../src/operate/discard.js';
import { pause, resume } from '../../src/operate/pause.js';
import { requeue } from '../../src/operate/requeue.js';
import { settleAsDone, settleAsNotDone } from '../../src/operate/settle-by-hand.js';
import { checkOwnBooks } from '../../src/reconcile/own-books.js';
import { applyRepair, planRepair } from '../../src/reconcile/repair.js';
import { compareWithVendors } from '../../src/reconcile/vendor-books.js';
import { keptOf, type VendorBooks } from '../support/judge.js';
import { diceOf, pick, weighted } from './chance.js';
import type { Process } from './process.js';
import { LATE_MAX_MS } from './vendors.js';
import type { World } from './world.js';

export const onCall = { actor: 'on-call', role: 'operator', reason: 'simulated', requestId: null } as const;
export const DAY = '2026-11-24';

const BUTTONS = {
  requeue: 5,
  discard: 6,
  'settle-done': 3,
  'settle-not-done': 3,
  pause: 1,
  resume: 1,
  ask: 2,
  repair: 2,
  books: 1,
  batch: 1,
};
type Button = keyof typeof BUTTONS;
const TARGETS = ['meican', 'energy'];
const TYPES = [
  'MEICAN_NEW_V2_ORDER',
  'MEICAN_V2_CANCEL',
  'ENERGY_CENTER_V2_CANCEL',
  'ENERGY_CENTER_ROLLBACK_V2_ERROR',
  'ZHIPAN_SYNC_ERROR',
  'COFFEE_CONSUME_CANCEL',
];
const PAUSE_MAX_MS = 60_000;

interface EventRow {
  id: unknown;
  type: string;
  status: string;
  payload: string;
  settled_at: unknown;
  now: unknown;
}

/** People who press every button, at any time; who state only what is so. */
export class OnCall {
  readonly violations: string[] = [];

  constructor(
    private readonly world: World,
    private readonly poisoned: boolean,
  ) {}

  press(r: number, api: (r: number) => Process): void {
    const dice = diceOf(r);
    const button = weighted(BUTTONS, dice());
    const id = String(1 + Math.floor(dice() * this.world.newestEvent));
    if (this.poisoned && (id === '1' || button === 'batch')) return; // the poison is left to its end
    const process = api(dice());
    const subject = ['pause', 'resume', 'repair', 'books', 'batch'].includes(button) ? '' : ` on event ${id}`;
    this.world.tell(`on-call presses ${button}${subject}`);
    this.#press(button, id, process, dice).then(
      (heard) => process.process.dead || this.world.tell(`on-call hears of ${button}${subject}: ${heard}`),
      (error: unknown) =>
        isUnavailable(error) || this.violations.push(`${button} failed: ${(error as Error).stack}`),
    );
  }

  async #press(button: Button, id: string, process: Process, dice: () => number): Promise<string> {
    const { database, outbox, energy, meican } = process;
    const { registry } = outbox;
    switch (button) {
      case 'requeue':
        return heard(requeue(database, id, onCall));
      case 'discard':
        return this.#discard(process, id);
      case 'settle-done':
        if ((await this.#truth(process, id)) !== 'done') return 'not so, or not sure: left alone';
        return this.#noting('settled', id, settleAsDone(database, registry, id, onCall));
      case 'settle-not-done':
        if ((await this.#truth(process, id)) !== 'not-done') return 'not so, or not sure: left alone';
        return heard(settleAsNotDone(database, id, onCall));
      case 'pause':
      case 'resume': {
        const scope = dice() < 0.5 ? 'type' : 'target';
        const name = pick(scope === 'type' ? TYPES : TARGETS, dice()) ?? '';
        if (button === 'resume') return heard(resume(database, { scope, name }, onCall));
        return heard(pause(database, registry, { scope, name, forMs: dice() * PAUSE_MAX_MS }, onCall));
      }
      case 'ask':
        return heard(ask(database, registry, id, onCall).then(({ finding }) => finding.text));
      case 'books':
        return `${(await checkOwnBooks(database, DAY)).guilty.length} guilty`;
      case 'repair':
        return this.repair(process, { meican, energy });
      case 'batch':
        return this.#batch(process, dice);
    }
  }

  async #noting(how: string, id: string, act: Promise<void>): Promise<string> {
    const result = await heard(act);
    if (result === 'done') this.world.ended.set(id, how);
    return result;
  }

  async #discard(process: Process, id: string): Promise<string> {
    return this.#noting('discarded', id, discard(process.database, process.outbox.registry, id, onCall));
  }

  /** A dry run, and the plan carried out; a meal that nobody knows is cancelled only if it is ours by Meican's own books. */
  async repair(
    { database }: Pick<Process, 'database'>,
    { meican, energy }: Pick<Process, 'meican' | 'energy'>,
  ): Promise<string> {
    const context = {
      requestId: 'on-call-repair',
      traceparent: '00-00000000000000000000000000000001-0000000000000001-01',
    };
    const vendors = await compareWithVendors(
      database,
      meican,
      energy,
      { day: DAY, olderThanMs: LATE_MAX_MS + 6_000, budgetMs: 600_000 },
      context,
    );
    const drifts = [...(await checkOwnBooks(database, DAY)).guilty, ...vendors.guilty];
    const { meals } = this.world.vendors.books();
    const named = drifts.flatMap((drift) =>
      meals.some((meal) => meal.orderId === drift.meicanOrderId && !meal.foreign)
        ? [drift.orderNo ?? '']
        : [],
    );
    const applied = await applyRepair(database, planRepair(drifts), named, onCall);
    return (
      applied
        .map(
          ({ remedy, result, why }) =>
            `${remedy.drift.kind} ${remedy.drift.orderNo ?? ''}: ${result} (${why})`,
        )
        .join('; ') || 'nothing to mend'
    );
  }

  async #batch({ database }: Process, dice: () => number): Promise<string> {
    const verb = dice() < 0.5 ? 'requeue' : 'discard';
    const { batch, token } = await previewBatch(
      database,
      { verb, filter: { type: pick(TYPES, dice()) }, perSecond: 50 },
      onCall,
    );
    if (batch.total === 0) return 'nothing is errored';
    return heard(executeBatch(database, batch.id, { token, count: batch.total }, onCall));
  }

  /** What the vendor's own books say of an event; only of one that was given up long enough ago for everything to have arrived. */
  async #truth({ database }: Process, id: string): Promise<'done' | 'not-done' | 'unknown'> {
    const [row] = await database.query<EventRow>(
      sql`SELECT id, type, status, payload, settled_at FROM outbox_event WHERE id = ${id}`,
    );
    const settledAt = fromSqlInstantOrNull(row?.settled_at);
    if (
      row?.status !== 'errored' ||
      !settledAt ||
      this.world.clock.ms - settledAt.getTime() < 2 * LATE_MAX_MS
    )
      return 'unknown';
    return truthOf(row.type, JSON.parse(row.payload) as Record<string, string>, this.world.vendors.books());
  }
}

/** What a person hears of an act: that it is done, its answer, or why it was refused. */
export function heard(act: Promise<unknown>): Promise<string> {
  return act.then(
    (answer) => (typeof answer === 'string' ? answer : 'done'),
    (error: unknown) => {
      if (!(error instanceof Problem)) throw error;
      return `${error.code}: ${error.message}`;
    },
  );
}

function truthOf(
  type: string,
  payload: Record<string, string>,
  books: VendorBooks,
): 'done' | 'not-done' | 'unknown' {
  const number = payload.outTradeNo ?? `P${payload.orderNo ?? ''}`;
  const refunds = books.refunds.filter((refund) => refund.outTradeNo === number);
  switch (type) {
    case 'ENERGY_CENTER_V2_CANCEL':
    case 'ENERGY_CENTER_ROLLBACK_V2_ERROR':
    case 'COFFEE_CONSUME_CANCEL': {
      if (
        refunds.some((refund) => refund.status === 'PROCESSING') ||
        books.trades.some((trade) => trade.outTradeNo === number && trade.status === 'PROCESSING')
      )
        return 'unknown';
      return refunds.some((refund) => refund.status === 'SUCCESS') && keptOf(books, number) === 0
        ? 'done'
        : 'not-done';
    }
    case 'ZHIPAN_SYNC_ERROR':
      return books.consumptions.some((one) => one.recordNo === payload.recordNo) ? 'done' : 'not-done';
    default:
      return 'unknown'; // which meal was whose, the person leaves to the program
  }
}
