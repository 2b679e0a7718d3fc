import { existsSync, statfsSync } from 'node:fs';
import os from 'node:os';

const ROOM_BYTES = 4 * 2 ** 30;
const memory = '/dev/shm';

/**
 * Where databases of tests live: in memory where there is room for them, else among the temporary files. No test is about what a disk keeps when the
 * power goes; what a killed process leaves behind is the same in both.
 */
export function workFolder(): string {
  if (!existsSync(memory)) return os.tmpdir();
  const { bavail, bsize } = statfsSync(memory);
  return bavail * bsize >= ROOM_BYTES ? memory : os.tmpdir();
}
