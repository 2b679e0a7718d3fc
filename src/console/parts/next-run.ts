import cron from 'node-cron';

/**
 * When a schedule falls due next, by this process's clock. Asked of the library that runs it, so that both
 * read the expression alike.
 */
export function nextRunOf(expression: string): Date | null {
  const task = cron.createTask(expression, () => {});
  void task.start(); // a task that was not started has no next run
  const next = task.getNextRun();
  void task.destroy();
  return next;
}
