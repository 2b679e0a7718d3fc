// No queue at all: what the handler alone allows in one process.
import { drive, payloadOf } from '../lib/job.mjs';

const { JOBS, CONCURRENCY } = process.env;

await drive({
  async seed() {},
  async start(handle, over) {
    let next = 0;
    const lane = async () => {
      while (next < Number(JOBS)) {
        await handle(payloadOf(next++));
        over();
      }
    };
    for (let i = 0; i < Number(CONCURRENCY); i++) void lane();
    return () => {};
  },
});
