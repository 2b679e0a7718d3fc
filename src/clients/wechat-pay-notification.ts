import { z } from 'zod';
import type { NotificationReading } from './payer.js';
import { parseJson } from './transport.js';
import { decrypt, flawOfProof, type WeChatPayKeys } from './wechat-pay-proof.js';

const word = (max: number) =>
  z
    .string()
    .regex(/^[\x21-\x7e]+$/)
    .max(max);
const envelope = z.object({
  id: word(64),
  event_type: z.string(),
  resource: z.object({
    algorithm: z.literal('AEAD_AES_256_GCM'),
    ciphertext: z.string(),
    nonce: z.string().max(64),
    associated_data: z.string().nullish(),
  }),
});
export const instantOf = (text: string | null | undefined): Date | null => {
  const at = new Date(text ?? '');
  return Number.isNaN(at.getTime()) ? null : at;
};
const transaction = z.object({
  appid: z.string(),
  mchid: z.string(),
  out_trade_no: word(32),
  transaction_id: word(64),
  trade_state: z.string(),
  success_time: z.string().nullish(),
  amount: z.object({ total: z.number().int().nonnegative(), currency: z.string().max(16) }),
});

const refused = (code: string, message: string): NotificationReading => ({ kind: 'refused', code, message });

/** Verified over the bytes as they came before any of it is read. */
export function readWeChatPayNotification(
  keys: WeChatPayKeys & { readonly appId: string },
  headers: Readonly<Record<string, string | undefined>>,
  body: Buffer,
  nowMs: number,
): NotificationReading {
  const flaw = flawOfProof(keys, headers, body, nowMs);
  if (flaw) return refused(flaw.code, flaw.message);
  const outer = envelope.safeParse(parseJson(body.toString('utf8')));
  if (!outer.success) return refused('MALFORMED', 'not the notification that WeChat Pay promises');
  if (outer.data.event_type !== 'TRANSACTION.SUCCESS')
    return refused('OTHER_EVENT', 'a notification that nobody asked for');
  const text = decrypt(keys.apiV3Key, outer.data.resource);
  if (text === null) return refused('UNREADABLE', 'not encrypted with our API v3 key');
  const inner = transaction.safeParse(parseJson(text));
  if (!inner.success) return refused('MALFORMED', 'not the payment that WeChat Pay promises');
  return judge(keys, outer.data.id, inner.data);
}

function judge(
  keys: WeChatPayKeys & { readonly appId: string },
  notifyId: string,
  told: z.infer<typeof transaction>,
): NotificationReading {
  const paymentNo = told.out_trade_no;
  if (told.mchid !== keys.mchId)
    return { kind: 'foreign', code: 'OTHER_MERCHANT', message: 'signed, for another merchant', paymentNo };
  if (told.appid !== keys.appId)
    return {
      kind: 'foreign',
      code: 'OTHER_APPLICATION',
      message: 'signed, for another application',
      paymentNo,
    };
  return {
    kind: 'genuine',
    value: {
      notifyId,
      paymentNo,
      transactionNo: told.transaction_id,
      isPaid: told.trade_state === 'SUCCESS',
      amountInCent: told.amount.total,
      currency: told.amount.currency,
      merchant: told.mchid,
      application: told.appid,
      seller: null,
      paidAt: instantOf(told.success_time),
    },
  };
}
