import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startApi } from '../../src/app/api-part.js';
import { createLogger } from '../../src/app/logging.js';
import { lookForPollers } from '../../src/app/watch-pollers.js';
import { sql } from '../../src/database/sql.js';
import { heartbeats } from '../../src/operate/health.js';
import { beat } from '../../src/outbox/heartbeat.js';
import { databaseKinds } from '../support/databases.js';
import { Kit } from '../support/kit.js';

describe.each(databaseKinds)('heartbeats on %s', (kind) => {
  let kit: Kit;
  beforeAll(async () => {
    kit = await Kit.create(kind);
  });
  afterAll(() => kit.close());

  it('an API process says that it lives, so that nobody restores beneath it, and that it ended', async () => {
    const runtime = { ...kit.runtime, settings: { ...kit.runtime.settings, PORT: 0 } };
    const api = await startApi(runtime, createLogger('silent', 'test'));
    await expect.poll(() => heartbeats(kit.database)).toMatchObject([{ kind: 'api', state: 'alive' }]);
    await api.stop();
    expect(await heartbeats(kit.database)).toMatchObject([{ kind: 'api', state: 'ended' }]);
  });

  it('a scheduler that stopped cleanly is neither lost nor missed, however long ago', async () => {
    await kit.database.execute(sql`DELETE FROM process_heartbeat`);
    const heart = beat(kit.runtime.outbox, 'scheduler', '1', (error) => expect.fail(String(error)));
    await heart.stop();
    await kit.database.execute(sql`UPDATE process_heartbeat SET seen_at = '2026-01-01 00:00:00.000'`);
    expect(await heartbeats(kit.database)).toMatchObject([{ kind: 'scheduler', state: 'ended' }]);
    expect(await lookForPollers(kit.runtime.outbox)).toBe(false);
    await kit.database.execute(sql`UPDATE process_heartbeat SET ended_at = NULL`);
    expect(await heartbeats(kit.database)).toMatchObject([{ state: 'lost' }]);
    expect(await lookForPollers(kit.runtime.outbox)).toBe(true);
  });
});
