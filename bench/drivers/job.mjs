// What every driver does the same: count each job once, notice a second time, stop the clock at the last one.

/** @returns {{ handle(seq: number): void, done: Promise<void>, duplicates: () => number }} */
export function counter(jobs) {
  const seen = new Uint8Array(jobs);
  let left = jobs;
  let duplicates = 0;
  let finish;
  const done = new Promise((resolve) => {
    finish = resolve;
  });
  return {
    handle(seq) {
      if (seen[seq]) duplicates += 1;
      seen[seq] = 1;
    },
    /** A job is over when its store says so, not when its handler has returned. */
    over() {
      left -= 1;
      if (left === 0) finish();
    },
    done,
    duplicates: () => duplicates,
  };
}

/** Runs `drain` and prints one JSON line: jobs/s and CPU seconds of this process for 1000 jobs. */
export async function measured(jobs, drain) {
  const cpu = process.cpuUsage();
  const startedMs = performance.now();
  const duplicates = await drain();
  const seconds = (performance.now() - startedMs) / 1000;
  const used = process.cpuUsage(cpu);
  const cpuSPer1000 = Number((((used.user + used.system) / 1e6 / jobs) * 1000).toFixed(3));
  console.log(JSON.stringify({ jobsPerS: Math.round(jobs / seconds), seconds: Number(seconds.toFixed(2)), cpuSPer1000, duplicates }));
}
