import { mkdtempSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadSettings, maskedSettings, SettingsInvalid } from '../../src/app/settings.js';
import { sandboxSettings } from '../../src/dev/sandbox/defaults.js';

const vendors = Object.fromEntries(
  Object.entries(sandboxSettings('http://127.0.0.1:1')).map(([key, value]) => [key, String(value)]),
);
const env = { ...vendors, DATABASE_URL: 'sqlite:./x.db' };
const problemsOf = (given: Record<string, string>, directory?: string): string[] => {
  try {
    loadSettings({ env: given, ...(directory ? { directory } : {}) });
    return [];
  } catch (error) {
    if (error instanceof SettingsInvalid) return [...error.problems];
    throw error;
  }
};

describe('settings', () => {
  it('have the defaults of the contract', () => {
    expect(loadSettings({ env })).toMatchObject({
      PORT: 3000,
      SANDBOX_PORT: 3900,
      HOST: '127.0.0.1',
      SCHEDULER_CRON: '*/15 * * * * *',
      SCHEDULER_BATCH_SIZE: 10,
      RETRY_LIMIT: 3,
      RETRY_DELAY_MS: 15_000,
      LEASE_MS: 10_000,
      MEICAN_MULTI_ORDER_CODE: 'MULTI_ORDER',
    });
  });

  it('environment over config/<NODE_ENV> over config/default', () => {
    const directory = mkdtempSync(path.join(os.tmpdir(), 'lunchbox-config-'));
    const defaults = JSON.parse(JSON.stringify(loadSettings({ env }))) as Record<string, unknown>;
    const base = Object.fromEntries(
      Object.entries(defaults).map(([key, value]) => [key, Array.isArray(value) ? value.join(',') : value]),
    );
    writeFileSync(path.join(directory, 'default.json'), JSON.stringify({ ...base, PORT: 1 }));
    writeFileSync(path.join(directory, 'staging.json'), JSON.stringify({ PORT: 2, LEASE_MS: 2000 }));
    expect(loadSettings({ env: {}, directory }).PORT).toBe(1);
    expect(loadSettings({ env: { NODE_ENV: 'staging' }, directory }).PORT).toBe(2);
    expect(loadSettings({ env: { NODE_ENV: 'staging', PORT: '3' }, directory })).toMatchObject({
      PORT: 3,
      LEASE_MS: 2000,
    });
    writeFileSync(path.join(directory, 'staging.json'), JSON.stringify({ PROT: 2 }));
    expect(problemsOf({ NODE_ENV: 'staging' }, directory)).toEqual([
      'PROT (config/staging): there is no such setting',
    ]);
  });

  it('names everything that is wrong at once: key, value, source and rule', () => {
    const problems = problemsOf({
      ...env,
      PORT: 'abc',
      LEASE_MS: '1',
      MEICAN_TIMEOUT: '5',
      MEICAN_BASE_URL: 'ftp://x',
      AUTH_JWT_SECRET: 'short',
      DATABASE_URL: '',
    });
    expect(problems.map((problem) => problem.split(/[=: (]/)[0]).sort()).toEqual([
      'AUTH_JWT_SECRET',
      'DATABASE_URL',
      'LEASE_MS',
      'MEICAN_BASE_URL',
      'MEICAN_TIMEOUT',
      'PORT',
    ]);
    expect(problems.find((problem) => problem.startsWith('PORT'))).toContain('PORT=abc (the environment)');
    expect(problems.join()).not.toContain('short (');
  });

  it.each([
    ['MySQL without Redis', { DATABASE_URL: 'mysql://u:p@h/db' }, /REDIS_URLS: missing/],
    ['a payment window shorter than the payment', { PAYMENT_WINDOW_MS: '5000' }, /PAYMENT_WINDOW_MS=5000/],
    ['an even quorum', { REDIS_URLS: 'redis://a,redis://b' }, /REDIS_URLS/],
    ['half a WeCom application', { WECOM_CORP_SECRET: '' }, /WECOM_BASE_URL: needs/],
    ['a code name that there is not', { ENERGY_CODES: '{"nonsense":1}' }, /ENERGY_CODES/],
    ['literals that are no JSON', { MEICAN_LITERALS: '{' }, /MEICAN_LITERALS/],
    [
      'a secret of 31 bytes',
      { AUTH_JWT_SECRET: 'x'.repeat(31) },
      /AUTH_JWT_SECRET=\*\*\*.*at least 32 bytes/,
    ],
    ['a cron of five fields', { SCHEDULER_CRON: '* * * * *' }, /SCHEDULER_CRON/],
  ])('refuse %s', (_what, more, rule) =>
    expect(problemsOf({ ...env, ...more } as Record<string, string>).join('\n')).toMatch(rule),
  );

  it('show no secrets', () => {
    const shown = JSON.stringify(
      maskedSettings(
        loadSettings({
          env: {
            ...env,
            DATABASE_URL: 'mysql://root:hunter2@h/db',
            REDIS_URLS: 'redis://:hunter3@r',
            AUTH_JWT_SECRET: 'hunter4-hunter4-hunter4-hunter4-hunter4',
          },
        }),
      ),
    );
    expect(shown).not.toMatch(
      /hunter|sandbox-secret|sandbox-corp-token|sandbox-robot-key|sandbox-wecom-secret/,
    );
  });
});
