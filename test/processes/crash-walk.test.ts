import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { raise } from '../../src/alerts/raise.js';
import { crashPoints } from '../../src/base/crash-point.js';
import { now, sql } from '../../src/database/sql.js';
import { databaseKinds } from '../support/databases.js';
import { handlerCases } from '../support/handler-cases.js';
import { Kit } from '../support/kit.js';
import { launch, packed, unhurried } from '../support/processes.js';

const points = crashPoints.attempt;

describe.each(databaseKinds)('a worker that is killed on %s', (kind) => {
  let kit: Kit;
  let user = 0;

  beforeAll(async () => {
    kit = await Kit.create(kind, unhurried);
  });
  afterAll(() => kit.close());

  const killedAt = async (point: string): Promise<void> => {
    const worker = launch([packed('crash-worker')], {
      ...kit.env,
      REDIS_URLS: kind === 'sqlite' ? '' : inject('redisUrl'),
      CRASH_AT: point,
    });
    expect([await worker.ended, worker.output()]).toEqual(['SIGKILL', '']);
    await kit.database.execute(
      sql`UPDATE outbox_event SET lease_until = ${now}, queue_at = ${now} WHERE lease_until IS NOT NULL`,
    ); // its lease runs out
  };

  describe.each(handlerCases.map((one) => [one.definition.type, one] as const))(
    'carrying out %s',
    (_type, one) => {
      it.each(points)('%s: another one finishes, and the vendor did it once', async (point) => {
        const sub = `w${++user}`;
        const menu = await kit.menu({ stock: 500, capacity: 500 });
        const id = await one.arrange(kit, menu, sub);
        await killedAt(point);
        await kit.settleAll();
        expect((await kit.call('GET', `/v1/events/${id}`)).body).toMatchObject({
          status: 'handled',
          failures: 0,
        });
        expect(one.effects(kit, sub)).toBe(1);
      });
    },
  );

  // The robot takes no number of ours: a message whose sender died before it could write so is sent again. Twice is the price of not losing it.
  it.each(points)('sending an alert, %s: the message arrives, at most twice', async (point) => {
    await kit.database.transaction((tx) =>
      raise(tx, {
        groupKey: `g${++user}`,
        kind: 'errored',
        title: 'NOTE',
        cause: `cause ${user}`,
        eventType: 'NOTE',
        eventId: '1',
        subjectId: null,
        subjectNo: `N-${user}`,
      }),
    );
    await kit.database.execute(
      sql`UPDATE outbox_event SET queue_at = ${now} WHERE type = 'WECOM_ALERT' AND status = 'pending'`,
    );
    await kit.database.execute(sql`UPDATE alert_message SET slot_at = '2026-01-01 00:00:00.000'`);
    const sent = () => kit.robotTexts().filter((text) => text.includes(`N-${user}`)).length;
    await killedAt(point);
    await kit.pass(1, ['WECOM_ALERT']);
    expect(sent()).toBeGreaterThanOrEqual(1);
    expect(sent()).toBeLessThanOrEqual(2);
    await kit.database.execute(
      sql`UPDATE outbox_event SET status = 'discarded', queue_at = NULL WHERE type = 'WECOM_ALERT'`,
    );
  });
});
