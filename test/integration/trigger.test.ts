import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createLogger } from '../../src/app/logging.js';
import { loadSettings } from '../../src/app/settings.js';
import { createLunchboxClient, type LunchboxClient } from '../../src/dev/client/index.js';
import { type Embedded, embeddedFallback, startEmbedded, tokenFor } from '../../src/dev/embedded.js';
import { trigger, triggerTypes } from '../../src/dev/trigger.js';
import { faultAliases } from '../../src/dev/trigger-steps.js';
import { freePort } from '../support/free-port.js';

/** What becomes of each type's event when the vendor fails once in this way; the order's status where there is one. */
const once: Record<string, Record<string, string>> = {
  MEICAN_NEW_V2_ORDER: {
    none: 'handled ORDERED',
    'timeout-after-send': 'handled ORDERED',
    'dropped-before': 'handled ORDERED',
    'server-error': 'handled ORDERED',
    garbage: 'handled ORDERED',
    'rate-limit': 'handled ORDERED',
    refused: 'errored ORDER_ERROR',
  },
  MEICAN_V2_CANCEL: {
    none: 'handled USER_CANCEL',
    'timeout-after-send': 'handled USER_CANCEL',
    'dropped-before': 'handled USER_CANCEL',
    'server-error': 'handled USER_CANCEL',
    garbage: 'handled USER_CANCEL',
    'rate-limit': 'handled USER_CANCEL',
    refused: 'errored USER_CANCEL',
  },
  ENERGY_CENTER_V2_CANCEL: {
    none: 'handled USER_CANCEL',
    'timeout-after-send': 'handled USER_CANCEL',
    'dropped-before': 'handled USER_CANCEL',
    'server-error': 'handled USER_CANCEL',
    garbage: 'handled USER_CANCEL',
    'rate-limit': 'handled USER_CANCEL',
    refused: 'errored USER_CANCEL',
  },
  ENERGY_CENTER_ROLLBACK_V2_ERROR: {
    none: 'handled SYSTEM_CANCEL',
    'timeout-after-send': 'handled SYSTEM_CANCEL',
    'dropped-before': 'handled SYSTEM_CANCEL',
    'server-error': 'handled SYSTEM_CANCEL',
    garbage: 'handled SYSTEM_CANCEL',
    'rate-limit': 'handled SYSTEM_CANCEL',
    refused: 'errored SYSTEM_CANCEL',
  },
  ZHIPAN_SYNC_ERROR: {
    none: 'handled -',
    'timeout-after-send': 'handled -',
    'dropped-before': 'handled -',
    'server-error': 'handled -',
    garbage: 'handled -',
    'rate-limit': 'handled -',
    refused: 'errored -',
  },
  COFFEE_CONSUME_CANCEL: {
    none: 'handled -',
    'timeout-after-send': 'handled -',
    'dropped-before': 'handled -',
    'server-error': 'handled -',
    garbage: 'handled -',
    'rate-limit': 'handled -',
    refused: 'errored -',
  },
};

describe('a story for each event type and fault', () => {
  let embedded: Embedded;
  let client: LunchboxClient;
  let directory: string;
  beforeAll(async () => {
    directory = mkdtempSync(path.join(os.tmpdir(), 'lunchbox-trigger-'));
    const quick = {
      LOG_LEVEL: 'silent',
      PORT: await freePort(),
      SANDBOX_PORT: await freePort(),
      RETRY_DELAY_MS: 20,
      MEICAN_SETTLE_MS: 20,
      MEICAN_TIMEOUT_MS: 500,
      ENERGY_TIMEOUT_MS: 500,
      PAYMENT_WINDOW_MS: 1_000,
      RATE_LIMIT_PER_MINUTE: 100_000,
    };
    embedded = await startEmbedded(
      loadSettings({ env: {}, fallback: { ...embeddedFallback(directory), ...quick } }),
      {},
      createLogger('silent', 'trigger'),
    );
    client = createLunchboxClient({
      url: embedded.url,
      token: await tokenFor(embedded.runtime.settings, 'op', 'operator'),
    });
  });
  afterAll(async () => {
    await embedded.stop();
    rmSync(directory, { recursive: true, force: true });
  });

  it('is told for every type that can be triggered', () => {
    expect(Object.keys(once).sort()).toEqual([...triggerTypes].sort());
  });

  it.each(
    triggerTypes.flatMap((type) =>
      Object.entries(once[type] ?? {}).map(([fault, ends]) => ({ type, fault, ends })),
    ),
  )('$type, $fault: $ends', async ({ type, fault, ends }) => {
    embedded.sandbox?.faults.clear();
    const told = await trigger(type, {
      client,
      sandboxUrl: embedded.sandbox?.url ?? '',
      garden: 'demo',
      waitMs: 15_000,
      ...(faultAliases[fault] ? { fault: faultAliases[fault] } : {}),
    });
    expect(`${told.status} ${told.orderStatus ?? '-'}`).toBe(ends);
  });

  it('three server errors make a person decide', async () => {
    const told = await trigger('ENERGY_CENTER_V2_CANCEL', {
      client,
      sandboxUrl: embedded.sandbox?.url ?? '',
      garden: 'demo',
      waitMs: 15_000,
      fault: { kind: 'status-before', status: 500 },
      times: 9,
    });
    expect([told.status, told.attempts]).toEqual(['errored', 3]);
    embedded.sandbox?.faults.clear();
  });
});
