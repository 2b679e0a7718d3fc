import net from 'node:net';

/** Stands between the program and its MariaDB, and can lose it at an exact moment: around a COMMIT. */
export class DatabaseProxy {
  readonly #sockets = new Set<net.Socket>();
  #isAway = false;
  #commits: { nth: number; answer: 'given' | 'lost'; thenAway: boolean } | null = null;

  private constructor(
    private readonly server: net.Server,
    /** The database's URL through this proxy. */
    readonly url: string,
  ) {}

  static async before(databaseUrl: string): Promise<DatabaseProxy> {
    const target = new URL(databaseUrl);
    let proxy: DatabaseProxy;
    const server = net.createServer((client) => proxy.#connect(client, Number(target.port), target.hostname));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const through = new URL(databaseUrl);
    [through.hostname, through.port] = ['127.0.0.1', String((server.address() as net.AddressInfo).port)];
    proxy = new DatabaseProxy(server, through.href);
    return proxy;
  }

  /** The nth COMMIT from now on is carried out; its answer is given or lost, and the database is there afterwards or away. */
  onCommit(nth: number, answer: 'given' | 'lost', then: 'there' | 'away'): void {
    this.#commits = { nth, answer, thenAway: then === 'away' };
  }

  away(): void {
    this.#isAway = true;
    for (const socket of this.#sockets) socket.destroy();
  }

  back(): void {
    this.#isAway = false;
    this.#commits = null;
  }

  async close(): Promise<void> {
    this.away();
    await new Promise((resolve) => this.server.close(resolve));
  }

  #connect(client: net.Socket, port: number, host: string): void {
    if (this.#isAway) return void client.destroy();
    const server = net.connect(port, host);
    let isCommitting = false;
    for (const socket of [client, server]) {
      this.#sockets.add(socket);
      socket.on('error', () => {}).on('close', () => this.#sockets.delete(socket));
    }
    client.on('close', () => server.destroy());
    server.on('close', () => client.destroy());
    client.on('data', (bytes) => {
      isCommitting = this.#commits !== null && bytes.includes('\x03COMMIT') && --this.#commits.nth === 0;
      server.write(bytes);
    });
    server.on('data', (bytes) => {
      if (!isCommitting || !this.#commits) return void client.write(bytes);
      isCommitting = false;
      const { answer, thenAway } = this.#commits;
      this.#commits = null;
      if (answer === 'lost') client.destroy();
      else client.write(bytes, () => thenAway && this.away());
      if (answer === 'lost' && thenAway) this.away();
    });
  }
}
