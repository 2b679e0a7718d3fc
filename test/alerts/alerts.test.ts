import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type AlertGroup, loadGroup, stateOf } from '../../src/alerts/group.js';
import { markKnown, unmarkKnown } from '../../src/alerts/known.js';
import { type Occurred, raise } from '../../src/alerts/raise.js';
import { lookForPollers } from '../../src/app/watch-pollers.js';
import { now, sql } from '../../src/database/sql.js';
import { databaseKinds } from '../support/databases.js';
import { Kit } from '../support/kit.js';

/** One every fifteen seconds. */
const TRIES_AN_HOUR = 240;

describe.each(databaseKinds)('alerts on %s', (kind) => {
  let kit: Kit;
  beforeEach(async () => {
    kit = await Kit.create(kind);
  });
  afterEach(() => kit.close());

  const alert = (more: Partial<Occurred> = {}): Occurred => ({
    groupKey: 'cause-1',
    kind: 'errored',
    title: 'MEICAN_NEW_V2_ORDER',
    cause: 'HTTP_500: boom',
    eventType: 'MEICAN_NEW_V2_ORDER',
    eventId: '42',
    subjectId: '7',
    subjectNo: '202611230000007',
    ...more,
  });
  const raiseOne = (more: Partial<Occurred> = {}) => kit.database.transaction((tx) => raise(tx, alert(more)));
  /** An errored event, so that its group is not drained. */
  const errored = (cause = 'cause-1') =>
    kit.database.execute(
      sql`INSERT INTO outbox_event (type, status, payload, payload_version, dedupe_key, run_at, created_at, cause) VALUES ('NOTE', 'errored', '{}', 1, ${randomUUID()}, '2026-01-01 00:00:00.000', '2026-01-01 00:00:00.000', ${cause})`,
    );
  const send = () => kit.pass(1, ['WECOM_ALERT']);
  const fiveMinutesLater = () =>
    kit.database.execute(sql`UPDATE alert SET sent_at = '2026-01-01 00:00:00.000' WHERE sent_at IS NOT NULL`);

  it('the first message waits ten seconds for company, and names type, order, cause and one link', async () => {
    await raiseOne();
    await kit.runDue();
    expect(kit.robotTexts()).toEqual([]);
    const [event] = await kit.events('&type=WECOM_ALERT');
    const waitMs = Date.parse(event?.runAt ?? '') - Date.parse(event?.createdAt ?? '');
    expect(waitMs).toBeGreaterThanOrEqual(9_990);
    expect(waitMs).toBeLessThanOrEqual(10_010);
    await send();
    const [text] = kit.robotTexts();
    for (const part of ['MEICAN_NEW_V2_ORDER', '202611230000007', 'HTTP＿500', '/console/events/42'])
      expect(text).toContain(part);
    expect(text?.match(/\]\(http/g)).toHaveLength(1);
  });

  it('500 events failing for one cause: three messages, and every event is in the group', async () => {
    await errored();
    for (let i = 0; i < 500; i++) await raiseOne({ eventId: String(i), subjectNo: `N${i}` });
    await send();
    await send();
    for (let i = 0; i < 3; i++) await raiseOne({ eventId: `x${i}` });
    await send();
    expect(kit.robotTexts()).toHaveLength(1);
    await fiveMinutesLater();
    await send();
    expect(kit.robotTexts()).toHaveLength(2);
    expect(kit.robotTexts()[0]).toContain('共 500 次');
    expect(kit.robotTexts()[1]).toContain('新增：3');
    expect(kit.robotTexts()[1]).toMatch(/\/console\/causes\/\d+\)/); // from where every one of them can be reached
    await kit.database.execute(sql`UPDATE outbox_event SET status = 'handled' WHERE cause = 'cause-1'`);
    await send();
    await send();
    expect(kit.robotTexts()).toHaveLength(3);
    expect(kit.robotTexts()[2]).toContain('已恢复');
    expect(await kit.database.query(sql`SELECT id FROM alert_occurrence`)).toHaveLength(503);
  });

  it('a cause that comes back after its recovery rings again', async () => {
    await raiseOne();
    await send();
    await send();
    expect(kit.robotTexts()).toHaveLength(2); // nothing of the cause is errored: recovered
    await raiseOne();
    await send();
    expect(kit.robotTexts()).toHaveLength(3);
    expect(kit.robotTexts()[2]).toContain('新增：1');
  });

  it('a known cause is silent until it has recovered and comes back', async () => {
    await errored();
    await raiseOne();
    const [group] = await kit.database.query<{ id: unknown }>(sql`SELECT id FROM alert`);
    const id = String(group?.id);
    const act = { actor: 'op', role: 'operator', reason: 'we know', requestId: null };
    await markKnown(kit.database, id, act);
    await send();
    await raiseOne();
    await fiveMinutesLater();
    await send();
    expect(kit.robotTexts()).toEqual([]);
    await kit.database.execute(sql`UPDATE outbox_event SET status = 'handled' WHERE cause = 'cause-1'`);
    await send(); // its end is noted without a word
    expect(kit.robotTexts()).toEqual([]);
    expect(stateOf((await loadGroup(kit.database, id)) as AlertGroup)).toBe('recovered');
    await errored();
    await raiseOne();
    await send();
    expect(kit.robotTexts()).toHaveLength(1);
    expect(stateOf((await loadGroup(kit.database, id)) as AlertGroup)).toBe('regressed');
    await expect(unmarkKnown(kit.database, id, act)).rejects.toMatchObject({ code: 'cause-not-open' });
  });

  it('at most fifteen messages a minute, for however many causes; the others follow', async () => {
    for (let i = 0; i < 40; i++) {
      await errored(`cause-${i}`);
      await raiseOne({ groupKey: `cause-${i}` });
    }
    await send();
    expect(kit.robotTexts()).toHaveLength(15);
    await send();
    expect(kit.robotTexts()).toHaveLength(15);
    await kit.database.execute(sql`UPDATE alert_message SET slot_at = '2026-01-01 00:00:00.000'`); // a minute later
    await send();
    expect(await kit.database.query(sql`SELECT id FROM alert_message`)).toHaveLength(30);
  });

  it('WeCom is away for an hour: it delays messages, and only messages; none is lost or errored', async () => {
    await errored();
    await raiseOne();
    kit.fault({ call: 'wecom.robot', kind: 'status-before', status: 502, times: TRIES_AN_HOUR });
    for (let i = 0; i < TRIES_AN_HOUR; i++) {
      await send();
      await kit.database.execute(sql`UPDATE alert_message SET slot_at = '2026-01-01 00:00:00.000'`); // fifteen seconds later
    }
    const [waiting] = await kit.events('&type=WECOM_ALERT');
    expect(waiting).toMatchObject({ status: 'pending', failures: 0 });
    const menu = await kit.menu();
    expect((await kit.ordered(menu, 'calm')).status).toBe('ORDERED');
    kit.sandbox.faults.clear();
    // Its own silence has opened its breaker, which raised an alert of its own; both go out once the canary is let through.
    const sent = async () =>
      send().then(() => kit.robotTexts().filter((text) => text.includes('MEICAN_NEW_V2_ORDER')).length);
    await expect.poll(sent, { timeout: 60_000, interval: 250 }).toBe(1);
  });

  it('no scheduler lives: an API process notices, and sends the alert itself, once', async () => {
    expect(await lookForPollers(kit.runtime.outbox)).toBe(false); // nothing waits, and nobody was ever there
    await kit.database.execute(sql`
      INSERT INTO process_heartbeat (worker, kind, version, started_at, seen_at, running, breakers) VALUES ('w1', 'scheduler', '1', ${now}, ${now}, 0, '[]')`);
    expect(await lookForPollers(kit.runtime.outbox)).toBe(false);
    await kit.database.execute(sql`UPDATE process_heartbeat SET seen_at = '2026-01-01 00:00:00.000'`);
    for (let i = 0; i < 3; i++) {
      expect(await lookForPollers(kit.runtime.outbox)).toBe(true);
      while (kit.runtime.outbox.runningCount > 0) await kit.runtime.outbox.oneEnded();
      await kit.database.execute(
        sql`UPDATE outbox_event SET queue_at = ${now} WHERE type = 'WECOM_ALERT' AND status = 'pending'`,
      ); // ten seconds later
    }
    expect(kit.robotTexts().filter((text) => text.includes('没有调度进程在线'))).toHaveLength(1);
    await kit.database.execute(sql`DELETE FROM process_heartbeat`);
  });

  it('45009 is waited out for a minute', async () => {
    await raiseOne();
    kit.fault({ call: 'wecom.robot', kind: 'rate-limit', times: 1 });
    await send();
    const [event] = await kit.events('&type=WECOM_ALERT');
    expect(Date.parse(event?.runAt ?? '') - Date.now()).toBeGreaterThan(50_000);
  });

  it('a group whose message event was errored or discarded gets a new one with the next occurrence', async () => {
    await raiseOne();
    const [event] = await kit.events('&type=WECOM_ALERT');
    const discard = () => kit.call('POST', `/v1/events/${event?.id}/discard`, { body: { reason: 'test' } });
    expect(await discard()).toMatchObject({
      status: 409,
      body: { detail: expect.stringContaining('mark the cause as known') },
    }); // on call must hear of it
    await kit.database.execute(
      sql`UPDATE outbox_event SET status = 'errored', queue_at = NULL, settled_at = ${now} WHERE id = ${event?.id ?? ''}`,
    );
    expect((await discard()).status).toBe(200);
    await raiseOne();
    await send();
    expect(kit.robotTexts()).toHaveLength(1);
  });

  it('a message whose workers died three times in a row is errored, and its open group speaks again by itself', async () => {
    await errored();
    await raiseOne();
    await kit.database.execute(sql`UPDATE outbox_event SET interruptions = 3 WHERE type = 'WECOM_ALERT'`);
    await send();
    expect(kit.robotTexts()).toEqual([]);
    expect((await kit.events('&type=WECOM_ALERT')).map(({ status }) => status).sort()).toEqual([
      'errored',
      'pending',
    ]);
    await send();
    expect(kit.robotTexts()).toHaveLength(1);
    await kit.database.execute(sql`UPDATE alert SET status = 'recovered'`);
    await kit.database.execute(
      sql`UPDATE outbox_event SET interruptions = 3 WHERE type = 'WECOM_ALERT' AND status = 'pending'`,
    );
    await send();
    expect((await kit.events('&type=WECOM_ALERT')).map(({ status }) => status)).toEqual([
      'errored',
      'errored',
    ]);
  });

  it('an errored event and its alert commit together; the sixth failed placement within ten minutes rings of its own', async () => {
    const menu = await kit.menu({ stock: 50, capacity: 50 });
    kit.fault({ call: 'meican.addOrder', kind: 'refused', code: 'DISH_NOT_AVAILABLE' });
    for (let i = 0; i < 5; i++) await kit.order(menu, `fail${i}`);
    await kit.runDue();
    const kinds = async () =>
      (await kit.database.query<{ kind: string }>(sql`SELECT kind FROM alert ORDER BY id`)).map(
        (row) => row.kind,
      );
    expect(await kinds()).toEqual(['errored']);
    await kit.order(menu, 'fail5');
    await kit.runDue();
    expect(await kinds()).toEqual(['errored', 'placements-failing']);
    expect(await kit.database.query(sql`SELECT id FROM alert_occurrence WHERE alert_id = 1`)).toHaveLength(6);
  });

  it('a dead robot is told to the people on call through the application, and to the log', async () => {
    await kit.close();
    kit = await Kit.create(kind, { ALERT_USERS: 'ann,bob' });
    await raiseOne();
    kit.fault({ call: 'wecom.robot', kind: 'refused', code: '93000', times: 1 });
    await send();
    expect(kit.sandbox.ledger.books.appMessages).toMatchObject([{ to: 'ann|bob' }]);
  });
});
