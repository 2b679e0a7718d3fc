import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { type EnergyCodeName, energyCodes } from '../clients/energy.js';
import { complaintKinds } from '../entities/complaint.js';
import { orderTokenModes } from '../orders/order-token.js';
import { isServiceLink, meantFor } from './misspelt.js';
import {
  alipayCodeLists,
  apiV3Key,
  halfPayers,
  rsaPrivateText,
  rsaPublicText,
  weChatPayCodeLists,
} from './payer-settings.js';

const ms = (min: number, max: number) => z.coerce.number().int().min(min).max(max);
/** Parts of an hour are for trying. */
const hours = (min: number, max: number) => z.coerce.number().min(min).max(max);
const port = z.coerce.number().int().min(0).max(65_535);
const httpUrl = z
  .url({ protocol: /^https?$/, error: 'an http(s) URL' })
  .transform((url) => url.replace(/\/+$/, ''));
const text = z.string().min(1);
const flag = z
  .union([z.boolean(), z.enum(['true', 'false', '1', '0'])])
  .transform((value) => value === true || value === 'true' || value === '1');
const list = z.string().transform((value) =>
  value
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== ''),
);

/** A JSON object, as text (environment) or as it is (files). */
const table = <T extends z.ZodType>(of: T) =>
  z.preprocess((value) => {
    if (typeof value !== 'string') return value;
    try {
      return JSON.parse(value);
    } catch {
      return value;
    }
  }, of);

/** Every setting: its rule here, its default in `config/default.json`, its meaning in `docs/settings.md`. */
const shape = {
  DATABASE_URL: z
    .string()
    .regex(/^(sqlite:.+|mysql:\/\/.+)$/, 'mysql://user:pass@host:port/db or sqlite:./file.db'),
  DATABASE_POOL_SIZE: z.coerce.number().int().min(2).max(200),
  REDIS_URLS: list.refine(
    (urls) => urls.every((url) => /^rediss?:\/\//.test(url)),
    'comma-separated redis:// URLs',
  ),
  HOST: text,
  PORT: port,
  METRICS_PORT: port.optional(),
  DOCS_OPEN: flag,
  AUTH_JWT_SECRET: z
    .string()
    .refine((secret) => Buffer.byteLength(secret) >= 32, 'at least 32 bytes')
    .optional(),
  AUTH_JWKS_URL: httpUrl.optional(),
  /** Where set, every token must say so. */
  AUTH_ISSUER: text.optional(),
  AUTH_AUDIENCE: text.optional(),
  /** Bad tokens and failed sign-ins of one address. */
  AUTH_FAILURES_PER_MINUTE: z.coerce.number().int().min(1),
  RATE_LIMIT_PER_MINUTE: z.coerce.number().int().min(1),
  RATE_LIMIT_USER_PER_MINUTE: z.coerce.number().int().min(1),
  MEICAN_BASE_URL: httpUrl,
  MEICAN_CORP_TOKEN: text,
  MEICAN_TIMEOUT_MS: ms(50, 60_000),
  /** Absent: the call timeout plus ten seconds. */
  MEICAN_SETTLE_MS: ms(0, 3_600_000).optional(),
  MEICAN_MULTI_ORDER_CODE: text,
  /** Paths and codes that differ from the client's table. */
  MEICAN_LITERALS: table(
    z
      .strictObject({
        tooFast: text,
        refusals: z.array(text),
        addOrderPath: text,
        deleteOrderPath: text,
        dayListPath: text,
      })
      .partial(),
  ).optional(),
  ENERGY_BASE_URL: httpUrl,
  ENERGY_APP_ID: text,
  ENERGY_APP_SECRET: text,
  ENERGY_TIMEOUT_MS: ms(50, 60_000),
  /** Codes that differ from the client's table, by name. */
  ENERGY_CODES: table(
    z.partialRecord(
      z.enum(Object.keys(energyCodes) as [EnergyCodeName, ...EnergyCodeName[]]),
      z.number().int(),
    ),
  ).optional(),
  PAYMENT_WINDOW_MS: ms(1_000, 900_000),
  /** How long an order that is paid in money waits for it. */
  PAY_LATER_WINDOW_MS: ms(1_000, 86_400_000),
  PAYER_TIMEOUT_MS: ms(50, 60_000),
  /** Where payers reach this installation; absent: PUBLIC_URL. */
  PAYMENT_NOTIFY_URL: httpUrl.optional(),
  ORDER_TOKEN: z.enum(orderTokenModes),
  ORDER_TOKEN_TTL_MS: ms(1_000, 86_400_000),
  /** A box that stays in its cabinet for so long was not picked up. */
  PICKUP_WINDOW_HOURS: hours(0, 168),
  /** From the end of the order's way to COMPLETED. */
  COMPLAINT_WINDOW_HOURS: hours(0, 2_160),
  /** Kinds of which the box comes back and is inspected before a refund is approved. */
  COMPLAINT_INSPECT_KINDS: list.pipe(z.array(z.enum(complaintKinds))),
  /** A complaint that waits for a person for so long raises an alert. */
  COMPLAINT_ALERT_HOURS: hours(0.0001, 2_160),
  WECOM_WEBHOOK_URL: httpUrl.optional(),
  WECOM_BASE_URL: httpUrl.optional(),
  WECOM_CORP_ID: text.optional(),
  WECOM_CORP_SECRET: text.optional(),
  WECOM_AGENT_ID: z.coerce.number().int().optional(),
  WECOM_TIMEOUT_MS: ms(50, 60_000),
  /** WeCom user ids of the people on call: told by application message when the robot is dead. */
  ALERT_USERS: list,
  WECHATPAY_BASE_URL: httpUrl.optional(),
  WECHATPAY_MCH_ID: text.optional(),
  WECHATPAY_APP_ID: text.optional(),
  /** Of the merchant's certificate. */
  WECHATPAY_SERIAL_NO: text.optional(),
  WECHATPAY_PRIVATE_KEY: rsaPrivateText.optional(),
  WECHATPAY_API_V3_KEY: apiV3Key.optional(),
  /** By serial number, or `PUB_KEY_ID_…`. */
  WECHATPAY_PUBLIC_KEYS: table(
    z.record(text, rsaPublicText).refine((keys) => Object.keys(keys).length > 0, 'at least one key'),
  ).optional(),
  /** Codes that differ from the client's table, by what they mean. */
  WECHATPAY_CODES: table(weChatPayCodeLists).optional(),
  ALIPAY_BASE_URL: httpUrl.optional(),
  ALIPAY_APP_ID: text.optional(),
  ALIPAY_SELLER_ID: text.optional(),
  ALIPAY_PRIVATE_KEY: rsaPrivateText.optional(),
  /** Alipay's own, not the application's. */
  ALIPAY_PUBLIC_KEY: rsaPublicText.optional(),
  ALIPAY_CODES: table(alipayCodeLists).optional(),
  /** How old, or how far ahead, a payer's signature may be. */
  NOTIFY_SKEW_MS: ms(1_000, 3_600_000),
  PUBLIC_URL: httpUrl,
  SCHEDULER_CRON: z.string().regex(/^(\S+\s+){5}\S+$/, 'six fields, e.g. */15 * * * * *'),
  SCHEDULER_BATCH_SIZE: z.coerce.number().int().min(1).max(1_000),
  /** Attempts at once for each vendor in one process. */
  SCHEDULER_CONCURRENCY: z.coerce.number().int().min(1).max(1_000),
  RETRY_LIMIT: z.coerce.number().int().min(1).max(100),
  RETRY_DELAY_MS: ms(1, 3_600_000),
  LEASE_MS: ms(1_000, 600_000),
  INLINE_BUDGET_MS: ms(0, 60_000),
  SHUTDOWN_TIMEOUT_MS: ms(100, 300_000),
  /** How long a process waits at its start for a database or a Redis that is away. */
  START_TIMEOUT_MS: ms(0, 3_600_000),
  EVENTS_KEEP_DAYS: z.coerce.number().int().min(7).max(3_650),
  /** What was sent and answered. */
  EXCHANGES_KEEP_DAYS: z.coerce.number().int().min(1).max(3_650),
  AUDIT_KEEP_DAYS: z.coerce.number().int().min(365).max(36_500),
  /** Nothing can be changed through this process: 403 to everybody. */
  READ_ONLY: flag,
  /** Proxies in front of this process, whose X-Forwarded-For is believed. */
  TRUSTED_PROXIES: z.coerce.number().int().min(0).max(10),
  /** The console behind a proxy that serves it below a path, e.g. /canteen. */
  CONSOLE_PREFIX: z.string().regex(/^(\/[\w.-]+)*$/, 'empty, or /a/path without a slash at its end'),
  /** `{trace}`, `{request}`, `{order}` and `{event}` are filled in. */
  TRACE_LINK: z
    .string()
    .regex(/^https?:\/\//, 'an http(s) URL')
    .optional(),
  LOG_LINK: z
    .string()
    .regex(/^https?:\/\//, 'an http(s) URL')
    .optional(),
  LOG_LEVEL: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']),
  SANDBOX_PORT: port,
  SANDBOX_STATE: z.string().optional(),
  SANDBOX_LEGACY_MODE: flag,
} as const;

const schema = z.strictObject(shape);
export type Settings = z.output<typeof schema>;
export type SettingKey = keyof Settings;

const secrets: readonly SettingKey[] = [
  'DATABASE_URL',
  'REDIS_URLS',
  'AUTH_JWT_SECRET',
  'MEICAN_CORP_TOKEN',
  'ENERGY_APP_SECRET',
  'WECOM_WEBHOOK_URL',
  'WECOM_CORP_SECRET',
  'WECHATPAY_PRIVATE_KEY',
  'WECHATPAY_API_V3_KEY',
  'ALIPAY_PRIVATE_KEY',
];

export class SettingsInvalid extends Error {
  override readonly name = 'SettingsInvalid';
  constructor(readonly problems: readonly string[]) {
    super(`invalid settings:\n${problems.map((problem) => `  ${problem}`).join('\n')}`);
  }
}

export interface LoadOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Files are read from here: `default.json`, `<NODE_ENV>.json`. */
  readonly directory?: string;
  /** Over `config/default`, under everything else: what an entry file supplies, such as the embedded shape's sandbox. */
  readonly fallback?: Readonly<Record<string, string | number | boolean>>;
  /** Only these are needed and checked (a command that needs no vendor must not ask for one). */
  readonly only?: readonly SettingKey[];
}

/** Environment over `config/<NODE_ENV>` over `config/default`. Throws SettingsInvalid that names every problem at once. */
export function loadSettings(options: LoadOptions): Settings {
  const directory = options.directory ?? fileURLToPath(new URL('../../config', import.meta.url));
  const problems: string[] = [];
  const known = Object.keys(shape) as SettingKey[];
  const fromEnv = Object.fromEntries(
    Object.entries(options.env).filter(([key, value]) => key in shape && value && !isServiceLink(key, value)),
  );
  const layers: [string, Record<string, unknown>][] = [
    ['config/default', readConfig(directory, 'default')],
    ['the program', { ...options.fallback }],
    [
      `config/${options.env.NODE_ENV ?? ''}`,
      options.env.NODE_ENV ? readConfig(directory, options.env.NODE_ENV) : {},
    ],
    ['the environment', fromEnv],
  ];
  const values: Record<string, unknown> = {};
  const source: Record<string, string> = {};
  for (const [name, layer] of layers) {
    for (const [key, value] of Object.entries(layer)) {
      if (!(key in shape)) problems.push(`${key} (${name}): there is no such setting`);
      else [values[key], source[key]] = [value, name];
    }
  }
  problems.push(...misspelt(options.env, known));

  const wanted = options.only ?? known;
  const result: Record<string, unknown> = {};
  for (const key of wanted) {
    const parsed = shape[key].safeParse(values[key]);
    if (parsed.success) result[key] = parsed.data;
    else if (values[key] === undefined) problems.push(`${key}: missing; ${rule(parsed.error)}`);
    else problems.push(`${key}=${shown(key, values[key])} (${source[key]}): ${rule(parsed.error)}`);
  }
  const settings = result as Settings;
  if (!options.only)
    problems.push(...dangerousRelations(settings), ...halfPayers((key) => values[key] !== undefined));
  if (problems.length > 0) throw new SettingsInvalid(problems);
  return settings;
}

/** Variables of the environment that were meant to be settings: a misspelt one must not go unnoticed, whatever its prefix. */
function misspelt(env: LoadOptions['env'], known: readonly string[]): string[] {
  return Object.entries(env).flatMap(([name, value]) => {
    const meant = meantFor(name, value ?? '', known);
    if (meant === undefined) return [];
    return [
      `${name} (the environment): there is no such setting${meant === null ? '' : `; did you mean ${meant}?`}`,
    ];
  });
}

/** The effective settings as a log line may show them. */
export function maskedSettings(settings: Settings): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(settings).map(([key, value]) => [key, shown(key as SettingKey, value)]),
  );
}

/** Every secret among the settings, each also as the part of a URL that it is. */
export function secretValues(settings: Partial<Settings>): string[] {
  const given = secrets.flatMap((key) => settings[key] ?? []).map(String);
  const urls = Object.values(settings)
    .flat()
    .filter((value): value is string => typeof value === 'string' && URL.canParse(value))
    .map((value) => new URL(value));
  const passwords = urls.flatMap(({ password }) => [password, decoded(password)]);
  const keys = urls.flatMap(({ searchParams }) =>
    ['key', 'token', 'secret'].flatMap((name) => searchParams.getAll(name)),
  );
  return [...new Set([...given, ...passwords, ...keys])].filter((value) => value !== '');
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Relations that each value alone does not show. */
function dangerousRelations(settings: Partial<Settings>): string[] {
  const problems: string[] = [];
  const { LEASE_MS, ENERGY_TIMEOUT_MS, PAYMENT_WINDOW_MS, DATABASE_URL, REDIS_URLS, WECOM_BASE_URL } =
    settings;
  if (DATABASE_URL?.startsWith('mysql:') && REDIS_URLS?.length === 0)
    problems.push(
      'REDIS_URLS: missing; with a MySQL database more than one process could run, and in-process locks would not see each other',
    );
  if (REDIS_URLS && REDIS_URLS.length % 2 === 0 && REDIS_URLS.length > 0)
    problems.push(
      'REDIS_URLS: an even number of nodes cannot lose any more than one node fewer could; give one, three or five',
    );
  if (
    PAYMENT_WINDOW_MS !== undefined &&
    ENERGY_TIMEOUT_MS !== undefined &&
    PAYMENT_WINDOW_MS < 2 * ENERGY_TIMEOUT_MS
  )
    problems.push(
      `PAYMENT_WINDOW_MS=${PAYMENT_WINDOW_MS}: at least twice ENERGY_TIMEOUT_MS (${ENERGY_TIMEOUT_MS}), or the guard rolls back payments that are still on their way`,
    );
  if (LEASE_MS !== undefined && LEASE_MS < 1_000)
    problems.push('LEASE_MS: at least 1000, or a renewal that is a little late loses the lease');
  if (
    WECOM_BASE_URL &&
    !(settings.WECOM_CORP_ID && settings.WECOM_CORP_SECRET && settings.WECOM_AGENT_ID !== undefined)
  )
    problems.push('WECOM_BASE_URL: needs WECOM_CORP_ID, WECOM_CORP_SECRET and WECOM_AGENT_ID as well');
  for (const key of ['AUTH_ISSUER', 'AUTH_AUDIENCE'] as const)
    if (settings.AUTH_JWKS_URL && !settings[key])
      problems.push(
        `${key}: missing; with AUTH_JWKS_URL both are needed, or tokens that the same keys signed for others would open this door`,
      );
  return problems;
}

function readConfig(directory: string, name: string): Record<string, unknown> {
  if (!/^[\w-]+$/.test(name)) return {};
  const file = path.join(directory, `${name}.json`);
  let content: string;
  try {
    content = readFileSync(file, 'utf8');
  } catch {
    return {};
  }
  try {
    return JSON.parse(content) as Record<string, unknown>;
  } catch (error) {
    throw new SettingsInvalid([`${file}: not JSON: ${(error as Error).message}`]);
  }
}

function rule(error: z.ZodError): string {
  return error.issues.map((issue) => issue.message).join('; ');
}

function shown(key: SettingKey, value: unknown): string {
  if (key === 'DATABASE_URL') return String(value).replace(/\/\/[^@]*@/, '//***@');
  if (key === 'REDIS_URLS') return String(value).replace(/\/\/[^@,]*@/g, '//***@');
  if (value === undefined) return '';
  if (secrets.includes(key)) return '***';
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}
