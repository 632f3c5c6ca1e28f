import { join } from 'node:path';
import { type OwnedDirectory, ownedDirectory } from './owned-directory.ts';
import type { ServerCommand } from './server-process.ts';
import { type RestartableServer, ServerSlot } from './server-slot.ts';
import { steadyPorts } from './steady-port.ts';

/** A throw-away server of one process and one port. It dies with this process. */
export interface SingleServer extends RestartableServer, AsyncDisposable {
  readonly host: '127.0.0.1';
  readonly port: number;
  /** `127.0.0.1:port`. */
  readonly address: string;
  readonly dataDir: string;
  /** Starts again on the same port and data, and waits until it serves. */
  start(): Promise<void>;
}

/** How a server of one process is run. */
export interface SingleServerKind {
  /** Start of the name of its temporary directory. */
  readonly prefix: string;
  /** What runs it on this port and data directory, below the `root` that it may use. */
  command(place: {
    readonly root: string;
    readonly dataDir: string;
    readonly port: number;
  }): Promise<Omit<ServerCommand, 'logFile' | 'directory'>>;
}

/** A second clash of ports would be no accident. */
const TRIES = 2;

class ThrowawaySingle extends ServerSlot implements SingleServer {
  readonly host = '127.0.0.1';
  readonly port: number;
  readonly address: string;
  readonly dataDir: string;
  readonly #kind: SingleServerKind;
  readonly #directory: OwnedDirectory;

  constructor(kind: SingleServerKind, directory: OwnedDirectory, port: number) {
    super(join(directory.path, 'server.log'));
    this.port = port;
    this.address = `127.0.0.1:${port}`;
    this.dataDir = join(directory.path, 'data');
    this.#kind = kind;
    this.#directory = directory;
  }

  async start(): Promise<void> {
    const { port, dataDir } = this;
    const root = this.#directory.path;
    await this.run({ ...(await this.#kind.command({ root, dataDir, port })), directory: root });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    await this.#directory[Symbol.asyncDispose]();
  }
}

/** Starts a server on a free port of 127.0.0.1 and waits until it serves. Errors: the code of its command. */
export async function startSingle(kind: SingleServerKind): Promise<SingleServer> {
  for (let attempt = 1; ; attempt += 1) {
    const [port = 0] = await steadyPorts(1);
    const server = new ThrowawaySingle(kind, await ownedDirectory(kind.prefix), port);
    try {
      await server.start();
      return server;
    } catch (error) {
      const taken = server.metTakenPort();
      await server[Symbol.asyncDispose]();
      if (!taken || attempt === TRIES) throw error;
    }
  }
}
