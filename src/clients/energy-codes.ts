/**
 * Every code by name, with the number that we call it by. No public manual states the numbers on the wire: where an installation's differ,
 * `EnergyOptions.codes` says so, and the client translates; nobody else ever sees them.
 */
export const energyCodes = {
  ok: 0,
  insufficientBalance: 40201,
  cardNotUsable: 40301,
  tradeNotFound: 40401,
  refundNotFound: 40402,
  accountNotFound: 40403,
  otherBody: 40901,
  refundedUnderAnotherNumber: 40902,
  alreadyPaid: 40903,
  closed: 40904,
  rateLimited: 42901,
  systemError: 50001,
  cancelPayError: 50002,
  badParameter: 40001,
  badSignature: 40101,
} as const;

export type EnergyCodeName = keyof typeof energyCodes;
const codes = energyCodes;
export const REFUSALS: readonly number[] = [
  codes.insufficientBalance,
  codes.cardNotUsable,
  codes.tradeNotFound,
  codes.refundNotFound,
  codes.accountNotFound,
  codes.otherBody,
  codes.refundedUnderAnotherNumber,
  codes.alreadyPaid,
  codes.closed,
  codes.badParameter,
  codes.badSignature,
];

/** Codes that make no sense as the answer to this call: whatever they mean, they do not prove that it was not carried out. */
export const NO_REFUSAL = {
  pay: [codes.tradeNotFound, codes.refundNotFound, codes.refundedUnderAnotherNumber, codes.alreadyPaid],
  closePay: [codes.tradeNotFound, codes.refundNotFound, codes.refundedUnderAnotherNumber],
  unPay: [codes.refundNotFound, codes.alreadyPaid],
} as const;
