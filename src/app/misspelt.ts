/** What names what a process in a container, a pod or a service gets whether it wants it or not. */
const SERVICE_LINK =
  /_SERVICE_HOST$|_SERVICE_PORT(_[A-Z0-9_]+)?$|_PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?$/;
const LINK_VALUE = /^(tcp|udp|sctp):\/\/\S+:\d+$/;
/** Names that begin so can be meant for nobody else. */
const OUR_PREFIX =
  /^(MEICAN_|ENERGY_|WECOM_|SCHEDULER_|RETRY_|LEASE_|INLINE_|AUTH_|SANDBOX_|WECHATPAY_|ALIPAY_)/;
/** A shorter name resembles too many others: of such a one only two letters that changed places are believed to be a slip. */
const SHORT = 6;
const LONG = 9;
const NAME_MAX = 64;

/** The link to a service of Kubernetes or Docker, named after that service: `tcp://10.0.0.1:80` in `METRICS_PORT` is not our setting. */
export function isServiceLink(name: string, value: string): boolean {
  return SERVICE_LINK.test(name) || (name.endsWith('_PORT') && LINK_VALUE.test(value));
}

/**
 * Whether a variable of the environment was meant to be a setting and is not one: its prefix is ours, it has the same words, or it is a slip of
 * the hand away. Undefined: it is somebody else's. Null: ours, and it resembles none.
 */
export function meantFor(name: string, value: string, known: readonly string[]): string | null | undefined {
  if (known.includes(name) || name.length > NAME_MAX || isServiceLink(name, value)) return undefined;
  const upper = name.toUpperCase();
  const words = wordsOf(upper);
  const found = known.find((setting) => wordsOfSetting(setting) === words || isSlipOf(upper, setting));
  if (found !== undefined) return found.length < SHORT && upper === found ? undefined : found;
  return OUR_PREFIX.test(name) ? null : undefined;
}

const settingsWords = new Map<string, string>();

/** Each process compares each of its variables with each setting before it does anything else. */
function wordsOfSetting(setting: string): string {
  const words = settingsWords.get(setting) ?? wordsOf(setting);
  settingsWords.set(setting, words);
  return words;
}

/** Words without their order, plurals and separators: `REDIS_URL`, `URLS-REDIS`. Of one word alone, the word. */
function wordsOf(name: string): string {
  const words = name.split(/[^A-Z0-9]+/).filter((word) => word !== '');
  return words.length < 2
    ? name
    : words
        .map((word) => word.replace(/S$/, ''))
        .sort()
        .join(' ');
}

function isSlipOf(name: string, setting: string): boolean {
  if (name.replaceAll('_', '') === setting.replaceAll('_', '') && setting.includes('_')) return true;
  const slips = distance(name, setting);
  if (setting.length < SHORT)
    return (
      slips === 1 && name.length === setting.length && [...name].sort().join() === [...setting].sort().join()
    );
  return slips <= (setting.length < LONG ? 1 : 2);
}

/** Letters left out, added, changed, or changed places (optimal string alignment). */
function distance(a: string, b: string): number {
  if (Math.abs(a.length - b.length) > 2) return 3;
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, j) => j)];
  const at = (i: number, j: number): number => rows[i]?.[j] ?? Number.POSITIVE_INFINITY;
  for (let i = 1; i <= a.length; i++) {
    rows.push([i]);
    for (let j = 1; j <= b.length; j++) {
      const changed = at(i - 1, j - 1) + (a[i - 1] === b[j - 1] ? 0 : 1);
      const swapped =
        a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1] ? at(i - 2, j - 2) + 1 : Number.POSITIVE_INFINITY;
      rows[i]?.push(Math.min(at(i - 1, j) + 1, at(i, j - 1) + 1, changed, swapped));
    }
  }
  return at(a.length, b.length);
}
