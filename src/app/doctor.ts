import { type Check, failed, well } from './checks/check.js';
import { checkDatabase } from './checks/database.js';
import { checkRedis } from './checks/redis.js';
import { checkVendors } from './checks/vendors.js';
import { loadSettings, type Settings, SettingsInvalid } from './settings.js';

const NODE_MIN = [20, 19] as const;

/** Looks at everything that lunchbox depends on. Changes nothing, but takes and gives back one lock. */
export async function runDoctor(env: Readonly<Record<string, string | undefined>>): Promise<Check[]> {
  let settings: Settings;
  try {
    settings = loadSettings({ env });
  } catch (error) {
    if (!(error instanceof SettingsInvalid)) throw error;
    const whatToDo = 'correct these settings; docs/settings.md lists all';
    return [checkNode(), failed('settings', error.problems.join('; '), whatToDo)];
  }
  return [
    checkNode(),
    well('settings', 'complete'),
    ...(await checkDatabase(settings)),
    ...(await checkRedis(settings)),
    ...(await checkVendors(settings)),
  ];
}

function checkNode(): Check {
  const { node } = process.versions;
  const [major = 0, minor = 0] = node.split('.').map(Number);
  return major > NODE_MIN[0] || (major === NODE_MIN[0] && minor >= NODE_MIN[1])
    ? well('node', node)
    : failed('node', node, `use Node ${NODE_MIN.join('.')} or newer`);
}
