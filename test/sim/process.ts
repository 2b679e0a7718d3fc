import { createRaiseErrored, raiseAskedInVain } from '../../src/alerts/raise.js';
import { EnergyClient } from '../../src/clients/energy.js';
import { MeicanClient } from '../../src/clients/meican.js';
import type { Database } from '../../src/database/database.js';
import { createBooksCompare } from '../../src/handlers/books-compare.js';
import { createCoffeeRefund } from '../../src/handlers/coffee-refund.js';
import { createConsumptionSync } from '../../src/handlers/consumption-sync.js';
import { createEnergyCancel } from '../../src/handlers/energy-cancel.js';
import { createEnergyRollback } from '../../src/handlers/energy-rollback.js';
import { createEventBatch } from '../../src/handlers/event-batch.js';
import { alertRulesOf } from '../../src/handlers/index.js';
import { createMeicanCancel } from '../../src/handlers/meican-cancel.js';
import { createMeicanNewOrder } from '../../src/handlers/meican-new-order.js';
import type { Locks } from '../../src/orders/lock.js';
import { createOrderNumbers } from '../../src/orders/number.js';
import { Outbox } from '../../src/outbox/outbox.js';
import { Registry } from '../../src/outbox/registry.js';
import type { EventHandler, HandlerContext } from '../../src/outbox/types.js';
import type { Without } from './mechanisms.js';
import { createPoison } from './poison.js';
import { CALL_TIMEOUT_MS, SETTLE_MS, secrets } from './vendors.js';
import type { AttemptSeen, SimProcess, World } from './world.js';

export const LEASE_MS = 10_000;
const noLocks: Locks = { withLock: (_keys, work) => work({ held: false, waitedMs: 0 }) }; // correctness must not rest on them

export interface ProcessOptions {
  readonly failuresMax: number;
  readonly inlineBudgetMs: number;
  readonly without: Without;
}

export type Process = ReturnType<typeof createProcess>;

/** An API or a scheduler: the product's own code over the world's database, vendors and time. */
export function createProcess(
  world: World,
  process: SimProcess,
  { failuresMax, inlineBudgetMs, without }: ProcessOptions,
) {
  const database: Database = world.databaseOf(process);
  const timeoutMs = CALL_TIMEOUT_MS;
  const honest = new EnergyClient(
    { baseUrl: 'http://sim', appId: secrets.appId, appSecret: secrets.appSecret, timeoutMs },
    world.carrierOf(process, 'energy'),
  );
  const energy = without.energy?.(honest) ?? honest;
  const meican = new MeicanClient(
    { baseUrl: 'http://sim', corpToken: secrets.corpToken, timeoutMs },
    world.carrierOf(process, 'meican'),
  );
  const meicanPart = { database, meican, settleMs: without.settleMs ?? SETTLE_MS, timeoutMs };
  const energyPart = { database, energy, clock: world.clock, timeoutMs };
  const handlers = [
    createMeicanNewOrder(meicanPart),
    createMeicanCancel(meicanPart),
    createEnergyCancel(energyPart),
    createEnergyRollback(energyPart),
    createConsumptionSync(energyPart),
    createCoffeeRefund(energyPart),
    createBooksCompare({ database, meican, energy, settleMs: SETTLE_MS }),
    createEventBatch({ ...energyPart, registry: () => registry }),
    createPoison(() => world.kill(process)),
  ] as unknown as EventHandler[];
  const watched = handlers.map((handler) =>
    watch(world, without.handler?.(handler) ?? handler),
  ) as unknown as EventHandler<never>[];
  const registry = new Registry(watched);
  const outbox = new Outbox(
    database,
    watched,
    {
      leaseMs: LEASE_MS,
      failuresMax,
      retryDelayMs: 5_000,
      batchSize: 10,
      concurrencyPerTarget: 10,
      random: world.random,
      nowMs: world.clock.now,
      patienceMs: Number.POSITIVE_INFINITY,
    },
    { errored: createRaiseErrored(alertRulesOf), askedInVain: raiseAskedInVain },
  );
  world.watch(outbox.signals, process);
  const numbers = createOrderNumbers(database, null);
  return {
    process,
    database,
    meican,
    energy,
    outbox,
    /** Requests that wait for this process, to be told when it dies. */
    requests: new Set<{ lost(): void }>(),
    place: {
      database,
      energy,
      locks: noLocks,
      numbers,
      clock: world.clock,
      paymentWindowMs: 60_000,
      payTimeoutMs: 2 * CALL_TIMEOUT_MS,
    },
    cancel: { database, outbox, locks: noLocks, clock: world.clock, inlineBudgetMs },
    other: { database, outbox, inlineBudgetMs },
    poll: (): void => void outbox.claimAndStart().catch(() => {}),
  };
}

/** Keeps which calls each attempt made, and what came back. */
function watch(world: World, handler: EventHandler): EventHandler {
  return {
    ...handler,
    handle: (event, context) => {
      const seen: AttemptSeen = {
        eventId: event.id,
        type: event.type,
        atMs: world.clock.ms,
        calls: [],
        status: null,
        errorCode: null,
      };
      world.attempts.push(seen);
      const journal: HandlerContext['journal'] = (exchange) => {
        seen.calls.push({
          exchange,
          wasOut: world.vendors.wasOut(exchange.call, world.clock.ms - exchange.durationMs, world.clock.ms),
        });
        context.journal(exchange);
      };
      return handler.handle(
        event,
        new Proxy(context, {
          get: (target, key) => (key === 'journal' ? journal : Reflect.get(target, key, target)),
        }),
      );
    },
  };
}
