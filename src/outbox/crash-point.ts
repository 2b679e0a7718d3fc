/**
 * Named points at which a test kills this very process, as SIGKILL would. Off, a point costs one comparison.
 * `CRASH_AT=after-claim` kills at the first passage; `CRASH_AT=after-claim:3` at the third.
 */
const [wanted, nth = '1'] = (process.env.CRASH_AT ?? '').split(':');
let passages = 0;

export function crashPoint(name: string): void {
  if (wanted !== name) return;
  passages += 1;
  if (passages === Number(nth)) process.kill(process.pid, 'SIGKILL');
}
