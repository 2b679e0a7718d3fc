import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Database } from '../../src/database/database.js';
import { heartbeats } from '../../src/operate/health.js';
import { beat } from '../../src/outbox/heartbeat.js';
import { Poller } from '../../src/outbox/poll.js';
import { openDatabase } from '../support/databases.js';
import { done, outboxOf, recordNote, rowOf } from '../support/engine.js';
import { noteStatements } from '../support/statements.js';

describe('an idle poller', () => {
  let database: Database;
  const texts: string[] = [];
  beforeEach(async () => {
    database = await openDatabase('mariadb');
    noteStatements(database, (text) => texts.push(text));
  });
  afterEach(() => database.close());

  it('sends a single statement at each tick, and takes an event recorded without a wake at the next tick', async () => {
    const outbox = outboxOf(database, async () => done);
    const poller = new Poller(outbox, { cron: '* * * * * *', lookAheadMs: 15_000 });
    let ticks = 0;
    outbox.signals.on('swept', () => {
      ticks += 1;
    });
    poller.start();
    await expect.poll(() => ticks).toBeGreaterThan(0); // the sweep at its start
    texts.length = 0;
    const before = ticks;
    await expect.poll(() => ticks, { timeout: 10_000 }).toBeGreaterThanOrEqual(before + 3);
    expect(texts.length).toBeLessThanOrEqual(ticks - before);
    expect(new Set(texts).size).toBe(1);
    const id = await recordNote(database, { n: 1 }); // no wake is sent to this poller
    await expect.poll(async () => (await rowOf(database, id)).status, { timeout: 5_000 }).toBe('handled');
    await poller.stop();
  });

  it('with a heartbeat: still a single statement at each tick, which reports that the process lives and learns the next due time', async () => {
    const outbox = outboxOf(database, async () => done);
    const heart = beat(outbox, 'scheduler', '1', (error) => expect.fail(String(error)));
    await expect.poll(async () => (await heartbeats(database)).length).toBe(1);
    const poller = new Poller(outbox, { cron: '* * * * * *', lookAheadMs: 15_000, look: heart.look });
    let ticks = 0;
    outbox.signals.on('swept', () => {
      ticks += 1;
    });
    poller.start();
    await expect.poll(() => ticks).toBeGreaterThan(0);
    texts.length = 0;
    const before = ticks;
    await expect.poll(() => ticks, { timeout: 10_000 }).toBeGreaterThanOrEqual(before + 3);
    expect(texts.length).toBeLessThanOrEqual(ticks - before);
    expect(texts.every((text) => /^\s*UPDATE process_heartbeat/.test(text))).toBe(true);
    expect(await heart.look(15_000)).toBeNull();
    const [alive] = await heartbeats(database);
    expect(alive).toMatchObject({ state: 'alive', sweptAt: expect.any(Date) });
    const id = await recordNote(database, { n: 2 }, { runInMs: 5_000 });
    const dueInMs = await heart.look(15_000);
    expect(dueInMs).toBeGreaterThan(2_000);
    expect(dueInMs).toBeLessThanOrEqual(5_000);
    expect(await heart.look(1_000)).toBeNull();
    await expect.poll(async () => (await rowOf(database, id)).status, { timeout: 8_000 }).toBe('handled');
    await poller.stop();
    await heart.stop();
    expect(await heartbeats(database)).toMatchObject([{ state: 'ended', running: 0 }]);
  });
});
