import { z } from 'zod';
import { energyCodes as codes, REFUSALS } from './energy-codes.js';
import { applied, notApplied, type Outcome, PROCESSING, rejected, unknown } from './outcome.js';
import { type Answer, parseJson, retryAfterMs } from './transport.js';

const envelope = z.object({
  code: z.number().int(),
  message: z.string().nullish(),
  result: z.unknown().optional(),
});
const filled = z.string().refine((value) => value.trim() !== '');
const tradeStatus = z.enum(['SUCCESS', 'PROCESSING', 'FAILED', 'CLOSED']);
export const trade = z.object({
  tradeNo: filled,
  outTradeNo: z.string(),
  status: tradeStatus,
  amount: z.number(),
  duplicate: z.boolean().nullish(),
  refundedAmount: z.number().nullish(),
});
export const closedTrade = z.object({ status: tradeStatus, duplicate: z.boolean().nullish() });
export const refund = z.object({
  refundNo: filled,
  outRefundNo: z.string(),
  status: z.enum(['SUCCESS', 'PROCESSING', 'FAILED']),
  amount: z.number(),
  fundChange: z.string().nullish(),
});
export const account = z.object({ userId: z.string(), cardStatus: z.string(), balance: z.number() });
export const consumption = z.object({
  recordNo: z.string(),
  status: z.string(),
  duplicate: z.boolean().nullish(),
});

export function judge<T>(
  answer: Answer,
  ours: ReadonlyMap<number, number>,
  read: (result: unknown) => Outcome<T> | null,
): Outcome<T> {
  if (answer.kind !== 'answer') return unknown('NO_ANSWER', 'no answer came back');
  const parsed = envelope.safeParse(parseJson(answer.text));
  if (!parsed.success)
    return unknown('MALFORMED', 'the answer is not the envelope that the energy center promises');
  const { message, result } = parsed.data;
  const code = ours.get(parsed.data.code);
  if (code === undefined) return unknown(`CODE_${parsed.data.code}`, message ?? 'a code that we do not know');
  if (code === codes.ok) return read(result) ?? unknown('MALFORMED', 'the answer lacks a required field');
  if (code === codes.rateLimited)
    return notApplied(
      String(code),
      'the energy center limits our rate',
      retryAfterMs(answer.headers) ?? 5_000,
    );
  if (REFUSALS.includes(code)) return rejected(String(code), message ?? 'refused');
  return unknown(String(code), message ?? 'a code after which the outcome is not known');
}

export function judgeState(state: z.infer<typeof tradeStatus>, duplicate: boolean): Outcome<null> {
  if (state === 'SUCCESS') return applied(null, duplicate);
  if (state === 'PROCESSING') return unknown(PROCESSING, 'the energy center is still working on it');
  return rejected(state, `the energy center answered ${state}`);
}

/** What a close found. SUCCESS: the money had been taken. PROCESSING: the payment has not ended, and is not closed. */
export function judgeClose(state: z.infer<typeof tradeStatus>, duplicate: boolean): Outcome<null> {
  if (state === 'CLOSED' || state === 'FAILED') return applied(null, duplicate);
  if (state === 'SUCCESS') return rejected(String(codes.alreadyPaid), 'the payment had been made');
  return unknown(PROCESSING, 'the energy center is still working on the payment');
}

export function unknownWhen<T>(outcome: Outcome<T>, meaningless: readonly number[]): Outcome<T> {
  return outcome.kind === 'rejected' && meaningless.map(String).includes(outcome.code)
    ? unknown(outcome.code, outcome.message)
    : outcome;
}

export function noneWhen<T>(outcome: Outcome<T>, code: number, none: T): Outcome<T> {
  return outcome.kind === 'rejected' && outcome.code === String(code) ? applied(none) : outcome;
}
