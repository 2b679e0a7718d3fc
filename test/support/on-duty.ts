import { connect } from 'node:net';

/** When anyone could have taken work over, by this machine's clock: what nobody could do is no one's delay. */
export class OnDuty {
  private readonly changes: { atMs: number; on: boolean }[] = [];

  note(on: boolean): void {
    if (this.changes.at(-1)?.on !== on) this.changes.push({ atMs: Date.now(), on });
  }

  /** Milliseconds between two instants in which somebody was there. */
  within(fromMs: number, toMs: number): number {
    let sum = 0;
    for (const [i, { atMs, on }] of this.changes.entries()) {
      const endMs = this.changes[i + 1]?.atMs ?? toMs;
      if (on) sum += Math.max(0, Math.min(endMs, toMs) - Math.max(atMs, fromMs));
    }
    return sum;
  }
}

/** Whether a process listens there. */
export function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    const end = (is: boolean): void => {
      socket.destroy();
      resolve(is);
    };
    socket.once('connect', () => end(true));
    socket.once('error', () => end(false));
  });
}
