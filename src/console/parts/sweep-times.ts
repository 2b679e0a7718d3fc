import cron from 'node-cron';

/** When a schedule falls due next, by this process's clock, and how long one round of it takes. Six fields, seconds first. */
export function sweepTimes(expression: string): { next: Date | null; everyMs: number | null } {
  const task = cron.createTask(expression, () => {});
  void task.start();
  try {
    const [next, after] = (task as unknown as { getNextRuns?(count: number): Date[] }).getNextRuns?.(2) ?? [
      task.getNextRun(),
    ];
    return { next: next ?? null, everyMs: next && after ? after.getTime() - next.getTime() : null };
  } finally {
    void task.destroy();
  }
}
