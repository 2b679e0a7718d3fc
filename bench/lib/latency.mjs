// One process records (argument `produce`) and stamps each commit, another (`consume`) stamps the start of each handler. One clock for both.
import { monotonicMs, sleep } from './measure.mjs';

/** @param driver {{ produce(): Promise<(seq: number) => Promise<unknown>>, consume(handle: (seq: number) => void): Promise<void> }} */
export async function measureLatency({ produce, consume }) {
  process.on('disconnect', () => process.exit(0));
  const stamps = [];
  if (process.argv[2] === 'consume') {
    await consume((seq) => stamps.push([seq, monotonicMs()]));
    process.on('message', () => process.send(stamps));
    process.send('ready');
    return;
  }
  const send = await produce();
  process.on('message', async ({ from, count, everyMs }) => {
    for (let seq = from; seq < from + count; seq++) {
      await send(seq);
      stamps.push([seq, monotonicMs()]);
      await sleep(everyMs * (0.5 + Math.random()));
    }
    process.send(stamps.splice(0));
  });
  process.send('ready');
}
