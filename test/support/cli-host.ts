import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
// @ts-expect-error plain JavaScript
import { packedModule } from './pack.mjs';
import { root } from './processes.js';

export interface Said {
  readonly code: number | string;
  readonly output: string;
}

/** The command line in one process for many commands, one at a time. What is about a process that is started, or killed, starts one of its own. */
export class CliHost {
  #before: Promise<unknown> = Promise.resolve();

  private constructor(private readonly child: ChildProcess) {}

  static async start(): Promise<CliHost> {
    const child = spawn(
      process.execPath,
      [path.join(root, 'test', 'support', 'cli-host.mjs'), packedModule],
      {
        cwd: root,
        env: { PATH: process.env.PATH ?? '', HOME: process.env.HOME ?? '' },
        stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      },
    );
    await once(child, 'message');
    return new CliHost(child);
  }

  /** Waits for its turn. */
  run(args: readonly string[], env: Readonly<Record<string, string>>): Promise<Said> {
    const said = this.#before.then(() => this.#run(args, env));
    this.#before = said.catch(() => {});
    return said;
  }

  #run(args: readonly string[], env: Readonly<Record<string, string>>): Promise<Said> {
    const answered = new Promise<Said>((resolve, reject) => {
      const ended = (code: number | null): void =>
        reject(new Error(`the host ended with ${code} in ${args.join(' ')}`));
      this.child.once('exit', ended);
      this.child.once('message', (said: Said) => {
        this.child.removeListener('exit', ended);
        resolve(said);
      });
    });
    this.child.send({ args, env });
    return answered;
  }

  stop(): void {
    this.child.kill('SIGKILL'); // with its channel closed it would end by itself, too
  }
}
