import { randomUUID } from 'node:crypto';
import { businessDay } from '../../base/clock.js';
import { childTraceparent } from '../../base/trace.js';
import { createClients } from '../runtime.js';
import type { Settings } from '../settings.js';
import { type Check, failed, well } from './check.js';

/** Asks each vendor for what does not exist: an answer, signed with our key, is enough. */
export async function checkVendors(settings: Settings): Promise<Check[]> {
  const { meican, energy, wecom } = createClients(settings);
  const context = { requestId: randomUUID(), traceparent: childTraceparent(null) };
  try {
    const [listed, account] = await Promise.all([
      meican.listOrders('doctor', businessDay(Date.now()), context),
      energy.findCardAccountInfo('nobody-doctor', context),
    ]);
    const forMeican = 'check MEICAN_BASE_URL, MEICAN_CORP_TOKEN and the network';
    const forEnergy = 'check ENERGY_BASE_URL, ENERGY_APP_ID, ENERGY_APP_SECRET and the network';
    return [
      answers(listed, ['NOT_FOUND', 'HTTP_404']) ? reached('meican') : missed('meican', listed, forMeican),
      answers(account, ['40403']) ? reached('energy center') : missed('energy center', account, forEnergy),
      wecom.hasRobot
        ? well('wecom', 'a robot is configured (nothing was sent)')
        : failed('wecom', 'no robot is configured', 'set WECOM_WEBHOOK_URL, or alerts reach only the log'),
    ];
  } finally {
    meican.close();
    energy.close();
    wecom.close();
  }
}

interface Answer {
  readonly kind: string;
  readonly code?: string;
}

/** `codes`: refusals that say no more than that there is nothing of the kind. */
function answers({ kind, code }: Answer, codes: readonly string[]): boolean {
  return kind === 'applied' || (code !== undefined && codes.includes(code));
}

function reached(name: string): Check {
  return well(name, 'answers, and knows our signature');
}

function missed(name: string, { kind, code = '' }: Answer, whatToDo: string): Check {
  return failed(name, `${kind}: ${code}`, whatToDo);
}
