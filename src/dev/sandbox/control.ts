import { z } from 'zod';
import { calls, type Fault, type Faults, faultKinds } from './faults.js';
import type { Account, Ledger } from './ledger.js';
import type { SandboxPayers } from './payers/payers.js';
import { json, type Reply, type VendorRequest } from './vendor.js';
import { parseJson } from './wire.js';

const rule = z.object({
  call: z.union([z.enum(calls), z.enum(['meican', 'energy', 'wecom', 'wechatpay', 'alipay'])]).optional(),
  kind: z.enum(faultKinds),
  times: z.number().int().min(1).optional(),
  skip: z.number().int().min(0).optional(),
  ms: z.number().int().min(0).optional(),
  status: z.number().int().min(400).max(599).optional(),
  variant: z.string().optional(),
  code: z.union([z.string(), z.number()]).transform(String).optional(),
});
const faultsBody = z.union([
  z.object({ faults: z.array(rule) }),
  z.object({
    chance: z.object({
      seed: z.number().int(),
      probability: z.number().min(0).max(1),
      kinds: z.array(z.enum(faultKinds)).optional(),
    }),
  }),
  rule.transform((single) => ({ faults: [single] })),
]);
const accountBody = z.object({
  userId: z.string().min(1),
  balance: z.number().int().min(0).optional(),
  cardStatus: z.enum(['NORMAL', 'FROZEN', 'LOST', 'CLOSED']).optional(),
});

const payer = z.enum(['wechat', 'alipay']);
const paymentBody = z.object({ payer, outTradeNo: z.string() });
const refundBody = z.object({ payer, outRefundNo: z.string() });

interface Controlled {
  readonly payers: SandboxPayers | null;
  readonly payerSettings: object | null;
  readonly faults: Faults;
  readonly ledger: Ledger;
  readonly requests: readonly object[];
  reset(): void;
  outage(ms: number): Promise<void>;
}

const HELP =
  'GET ledger|requests|faults|settings, POST faults|accounts|payments|refunds|reset, DELETE faults';

/** The sandbox's own API: show the books and requests, add and clear faults, set accounts, pay. */
export function control(sandbox: Controlled, { method, path, body }: VendorRequest): Reply {
  const { faults } = sandbox;
  switch (`${method} ${path.slice('/__sandbox/'.length)}`) {
    case 'GET ledger':
      return json(ledgerView(sandbox));
    case 'GET requests':
      return json({ requests: sandbox.requests });
    case 'GET faults':
      return json(faults.list());
    case 'DELETE faults':
      faults.clear();
      return json(faults.list());
    case 'POST faults':
      return addFaults(sandbox, body);
    case 'POST accounts':
      return setAccount(sandbox, body);
    case 'POST payments':
      return pay(sandbox, body);
    case 'POST refunds':
      return settleRefund(sandbox, body);
    case 'GET settings':
      return sandbox.payerSettings
        ? json(sandbox.payerSettings)
        : json({ message: 'it plays no payers' }, 404);
    case 'POST reset':
      sandbox.reset();
      return json({ reset: true });
    default:
      return json({ message: HELP }, 404);
  }
}

function addFaults(sandbox: Controlled, body: string): Reply {
  const parsed = faultsBody.safeParse(parseJson(body));
  if (!parsed.success) return json({ message: 'not a fault', issues: parsed.error.issues }, 400);
  if ('chance' in parsed.data) sandbox.faults.useChance(parsed.data.chance as never);
  else {
    const rules = parsed.data.faults as never[];
    const outage = (rules as Fault[]).find(
      (fault) => fault.kind === 'outage' && !(fault as { call?: string }).call,
    );
    if (outage) void sandbox.outage(outage.ms ?? 1_000);
    sandbox.faults.add(rules.filter((fault) => fault !== (outage as never)));
  }
  return json(sandbox.faults.list());
}

function setAccount({ ledger }: Controlled, body: string): Reply {
  const parsed = accountBody.safeParse(parseJson(body));
  if (!parsed.success) return json({ message: 'not an account', issues: parsed.error.issues }, 400);
  const known = ledger.find<Account>('accounts', parsed.data.userId) ?? {
    userId: parsed.data.userId,
    accountNo: `A-${parsed.data.userId}`,
    cardStatus: 'NORMAL',
    balance: 100_000,
  };
  ledger.put('accounts', { ...known, ...parsed.data });
  return json(ledger.find('accounts', parsed.data.userId));
}

/** What the button on the payer's page does. */
function pay({ payers }: Controlled, body: string): Reply {
  const parsed = paymentBody.safeParse(parseJson(body));
  if (!parsed.success || !payers) return json({ message: 'not a payment' }, 400);
  return json({ result: payers.pay(parsed.data.payer, parsed.data.outTradeNo) });
}

/** What a person at the payer does with an ABNORMAL refund. */
function settleRefund({ payers }: Controlled, body: string): Reply {
  const parsed = refundBody.safeParse(parseJson(body));
  if (!parsed.success || !payers) return json({ message: 'not a refund' }, 400);
  return json({ settled: payers.settleRefund(parsed.data.payer, parsed.data.outRefundNo) });
}

function ledgerView({ ledger }: Controlled) {
  const { meicanOrders, accounts, trades, refunds, consumptions, robotMessages, appMessages } = ledger.books;
  const { payerTrades, payerRefunds } = ledger.books;
  return {
    meican: { orders: meicanOrders },
    energy: { accounts, trades, refunds, consumptions },
    wecom: { robot: robotMessages, messages: appMessages },
    payers: { trades: payerTrades, refunds: payerRefunds },
  };
}
