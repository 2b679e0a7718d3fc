import { mkdtempSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { createPayers } from '../../src/app/payers.js';
import { loadSettings, maskedSettings, SettingsInvalid, secretValues } from '../../src/app/settings.js';
import { hider } from '../../src/base/hide.js';
import { sandboxSettings } from '../../src/dev/sandbox/defaults.js';
import { settingsFor } from '../vendors/payers/serve.js';
import { makeKeys, privatePem } from '../vendors/payers/sign.js';

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

describe('the settings of the payers', () => {
  const keys = makeKeys();
  const url = 'http://127.0.0.1:9';
  const payers = settingsFor({ wechat: url, alipay: url }, keys);
  const without = (name: string): Record<string, string> => ({ ...env, ...payers, [name]: '' });
  const payersOf = (more: Record<string, string>) =>
    createPayers(loadSettings({ env: { ...env, ...more } }), (text) => text);

  it('make the clients of the payers that they name', () => {
    expect(Object.keys(payersOf({}))).toEqual([]);
    expect(Object.keys(payersOf(payers))).toEqual(['wechat', 'alipay']);
    const alipayAlone = Object.fromEntries(
      Object.entries(payers).filter(([key]) => key.startsWith('ALIPAY')),
    );
    expect(Object.keys(payersOf(alipayAlone))).toEqual(['alipay']);
    for (const payer of Object.values(payersOf(payers))) payer.end();
  });

  it.each(Object.keys(payers))('are all of one payer or none: without %s the start stops', (name) => {
    expect(problemsOf(without(name)).join('\n')).toMatch(
      new RegExp(`^${name}: missing; a payer needs all of`),
    );
  });

  it('take a key from a file', () => {
    const file = path.join(mkdtempSync(path.join(os.tmpdir(), 'lunchbox-key-')), 'key.pem');
    writeFileSync(file, `${privatePem(keys.merchant.privateKey)}\n`);
    expect(problemsOf({ ...env, ...payers, WECHATPAY_PRIVATE_KEY: `@${file}` })).toEqual([]);
    expect(problemsOf({ ...env, ...payers, WECHATPAY_PRIVATE_KEY: `@${file}x` }).join()).toMatch(/ENOENT/);
    const serials = JSON.stringify({ PUB_KEY_ID_1: `@${file}` });
    expect(problemsOf({ ...env, ...payers, WECHATPAY_PUBLIC_KEYS: serials }).join()).toMatch(
      /^WECHATPAY_PUBLIC_KEYS=.*an RSA public key/,
    );
  });

  it.each([
    ['WECHATPAY_PRIVATE_KEY', 'no key at all'],
    ['WECHATPAY_PRIVATE_KEY', payers.ALIPAY_PUBLIC_KEY ?? ''],
    ['WECHATPAY_API_V3_KEY', 'x'.repeat(31)],
    ['WECHATPAY_PUBLIC_KEYS', '{}'],
    ['WECHATPAY_PUBLIC_KEYS', '{"a":""}'],
    ['WECHATPAY_PUBLIC_KEYS', '{"a"'],
    ['WECHATPAY_CODES', '{"never":["X"]}'],
    ['ALIPAY_PUBLIC_KEY', payers.ALIPAY_PRIVATE_KEY ?? ''],
    ['ALIPAY_PRIVATE_KEY', '@/no/such/file'],
  ])('refuse a %s that is none, by name, and do not show it', (name, value) => {
    const problems = problemsOf({ ...env, ...payers, [name]: value });
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(new RegExp(`^${name}=`));
    if (/PRIVATE|API/.test(name)) expect(problems[0]).toMatch(new RegExp(`^${name}=\\*\\*\\*`));
  });

  it('are hidden where they are secret, as they are and as JSON has them', () => {
    const settings = loadSettings({ env: { ...env, ...payers } });
    const shown = JSON.stringify(maskedSettings(settings));
    const hide = hider(secretValues(settings));
    for (const key of ['WECHATPAY_PRIVATE_KEY', 'ALIPAY_PRIVATE_KEY', 'WECHATPAY_API_V3_KEY'] as const) {
      const secret = settings[key] ?? '';
      expect(shown).not.toContain(secret.slice(4, 28));
      expect(hide(`x ${secret} x`)).toBe('x *** x');
      expect(hide(JSON.stringify({ secret }))).toBe('{"secret":"***"}');
    }
  });
});
