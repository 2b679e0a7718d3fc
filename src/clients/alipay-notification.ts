import type { KeyObject } from 'node:crypto';
import { z } from 'zod';
import { centsOf, instantOfChina, signedText } from './alipay-proof.js';
import type { NotificationReading } from './payer.js';
import { rsaVerify } from './payer-keys.js';

const FIELDS_MAX = 200;
const word = (max: number) =>
  z
    .string()
    .regex(/^[\x21-\x7e]+$/)
    .max(max);
const told = z.object({
  notify_type: z.literal('trade_status_sync'),
  notify_id: word(128),
  app_id: word(32),
  seller_id: word(32),
  out_trade_no: word(64),
  trade_no: word(64),
  trade_status: z.string(),
  total_amount: z.string(),
  gmt_payment: z.string().optional(),
});

export interface AlipayParty {
  readonly appId: string;
  readonly sellerId: string;
  readonly publicKey: KeyObject;
}

const refused = (code: string, message: string): NotificationReading => ({ kind: 'refused', code, message });

/** A form, verified as RSA2 over all of it but `sign` and `sign_type`, whatever `sign_type` says. */
export function readAlipayNotification(party: AlipayParty, body: Buffer): NotificationReading {
  const pairs = [...new URLSearchParams(body.toString('utf8'))];
  const fields = Object.fromEntries(pairs);
  if (pairs.length > FIELDS_MAX || Object.keys(fields).length !== pairs.length)
    return refused('DUPLICATED', 'a field stands in it twice'); // which one was signed, and which one is read, would be luck
  if (!fields.sign) return refused('UNSIGNED', 'there is no signature');
  if ((fields.charset ?? 'utf-8').toLowerCase() !== 'utf-8')
    return refused('OTHER_CHARSET', 'not in the character set that was asked for');
  const text = signedText(fields, ['sign', 'sign_type']);
  if (!rsaVerify(party.publicKey, Buffer.from(text), fields.sign))
    return refused('FORGED', "the signature is not of this form by Alipay's key");
  const parsed = told.safeParse(fields);
  const amountInCent = parsed.success ? centsOf(parsed.data.total_amount) : null;
  if (!parsed.success || amountInCent === null)
    return refused('MALFORMED', 'not the notification that Alipay promises');
  return judge(party, parsed.data, amountInCent);
}

function judge(
  { appId, sellerId }: AlipayParty,
  said: z.infer<typeof told>,
  amountInCent: number,
): NotificationReading {
  const paymentNo = said.out_trade_no;
  if (said.app_id !== appId)
    return {
      kind: 'foreign',
      code: 'OTHER_APPLICATION',
      message: 'signed, for another application',
      paymentNo,
    };
  if (said.seller_id !== sellerId)
    return { kind: 'foreign', code: 'OTHER_SELLER', message: 'signed, for another seller', paymentNo };
  return {
    kind: 'genuine',
    value: {
      notifyId: said.notify_id,
      paymentNo,
      transactionNo: said.trade_no,
      isPaid: said.trade_status === 'TRADE_SUCCESS' || said.trade_status === 'TRADE_FINISHED',
      amountInCent,
      currency: 'CNY',
      merchant: said.seller_id,
      application: said.app_id,
      seller: said.seller_id,
      paidAt: instantOfChina(said.gmt_payment),
    },
  };
}
