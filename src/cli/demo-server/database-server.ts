import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { connectSql, type SqlRow, type SqlSession } from '../../adapters/mysql/connect.ts';
import { assert } from '../../core/assert.ts';
import { isUmbusError } from '../../core/errors.ts';
import { copyOfTemplate } from './data-template.ts';
import { freePort, greets, type ServerProcess, startProcess } from './server-process.ts';

/** A throw-away database server with data and port of its own. It dies with this process. */
export interface DatabaseServer extends AsyncDisposable {
  readonly flavor: 'mariadb' | 'mysql';
  readonly host: '127.0.0.1';
  readonly port: number;
  readonly user: 'root';
  readonly password: '';
  /** Process id of the server; 0 while it is stopped. */
  readonly pid: number;
  /** As `SELECT VERSION()` says. */
  readonly version: string;
  readonly serverId: number;
  /** Binlogs are `binlog.000001` and on in here. */
  readonly dataDir: string;
  /** Standard output and error of the server. */
  readonly logFile: string;
  /** Rows of a statement on a session that is kept between calls. BIGINT beyond 2^53, DECIMAL and dates are text. */
  query(sql: string, values?: readonly unknown[]): Promise<readonly SqlRow[]>;
  /** Kills at once, as a crash does; the data stay. */
  kill9(): Promise<void>;
  /** Stops in order; the data stay. */
  stop(): Promise<void>;
  /** Starts again on the same port and data. Extra arguments replace those of the last start when given. */
  start(extraArgs?: readonly string[]): Promise<void>;
}

/** What a throw-away server may be started with. */
export interface DatabaseServerOptions {
  /** More arguments for the server; the last of two for one setting wins. */
  readonly args?: readonly string[];
}

/** How one kind of server is run on a data directory. */
export interface ServerKind {
  readonly flavor: 'mariadb' | 'mysql';
  readonly program: string;
  /** Arguments before all others, for example for a loader. */
  readonly leadingArgs: readonly string[];
  /** Initialised data directory that is copied. */
  readonly template: string;
  /** Settings beside those that every kind has ({@link placeSettings}), port and server id. */
  readonly settings: readonly string[];
}

/** Where a server's files are in its directory, and who can reach it. */
function placeSettings(dir: string): readonly string[] {
  return [
    `--datadir=${join(dir, 'data')}`,
    `--socket=${join(dir, 'server.sock')}`,
    `--pid-file=${join(dir, 'server.pid')}`,
    `--tmpdir=${dir}`,
    '--bind-address=127.0.0.1',
    '--skip-name-resolve',
    '--log-bin=binlog',
  ];
}

const PORT_TRIES = 5;

function randomServerId(): number {
  // Below 2^31 and far from the small numbers that people choose.
  return 1_000_000 + Math.floor(Math.random() * 2_000_000_000);
}

/** How to run one server: its files, and what differs between starts. */
interface ServerSetup {
  readonly kind: ServerKind;
  readonly dir: string;
  readonly serverId: number;
}

function run(setup: ServerSetup, port: number, extraArgs: readonly string[]): Promise<ServerProcess> {
  const { kind, dir, serverId } = setup;
  return startProcess({
    program: kind.program,
    args: [
      ...kind.leadingArgs,
      ...placeSettings(dir),
      ...kind.settings,
      `--port=${port}`,
      `--server-id=${serverId}`,
      ...extraArgs,
    ],
    directory: dir,
    // The servers open their TCP port before this socket.
    ready: () => greets(join(dir, 'server.sock')),
    logFile: join(dir, 'server.log'),
    code: 'UMBUS_SOURCE_UNREACHABLE',
  });
}

async function runOnFreePort(
  setup: ServerSetup,
  extraArgs: readonly string[],
): Promise<{ readonly port: number; readonly running: ServerProcess }> {
  for (let attempt = 1; ; attempt += 1) {
    const port = await freePort();
    try {
      return { port, running: await run(setup, port, extraArgs) };
    } catch (error) {
      const taken = isUmbusError(error) && /address already in use/i.test(error.message);
      if (!taken || attempt === PORT_TRIES) throw error;
    }
  }
}

class ThrowawayServer implements DatabaseServer {
  readonly host = '127.0.0.1';
  readonly user = 'root';
  readonly password = '';
  readonly flavor: DatabaseServer['flavor'];
  readonly port: number;
  readonly serverId: number;
  readonly dataDir: string;
  readonly logFile: string;
  version = '';
  readonly #setup: ServerSetup;
  #extraArgs: readonly string[];
  #running: ServerProcess | null;
  #session: SqlSession | null = null;

  constructor(setup: ServerSetup, port: number, extraArgs: readonly string[], running: ServerProcess) {
    this.flavor = setup.kind.flavor;
    this.port = port;
    this.serverId = setup.serverId;
    this.dataDir = join(setup.dir, 'data');
    this.logFile = join(setup.dir, 'server.log');
    this.#setup = setup;
    this.#extraArgs = extraArgs;
    this.#running = running;
  }

  get pid(): number {
    return this.#running?.pid ?? 0;
  }

  async query(sql: string, values: readonly unknown[] = []): Promise<readonly SqlRow[]> {
    const { host, port, user, password } = this;
    if (this.#session?.socket.destroyed) this.#session = null;
    this.#session ??= await connectSql({ host, port, user, password, tls: null });
    return this.#session.query(sql, values);
  }

  async kill9(): Promise<void> {
    await this.#closeSession();
    await this.#running?.kill9();
    this.#running = null;
  }

  async stop(): Promise<void> {
    await this.#closeSession();
    await this.#running?.stop();
    this.#running = null;
  }

  async start(extraArgs?: readonly string[]): Promise<void> {
    assert(this.#running === null, 'The server runs already.');
    this.#extraArgs = extraArgs ?? this.#extraArgs;
    this.#running = await run(this.#setup, this.port, this.#extraArgs);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill9();
    await rm(this.#setup.dir, { recursive: true, force: true });
  }

  async #closeSession(): Promise<void> {
    const session = this.#session;
    this.#session = null;
    await session?.[Symbol.asyncDispose]();
  }
}

/** Copies the kind's template, starts the server on a free port and waits until it answers. */
export async function startServer(kind: ServerKind, options: DatabaseServerOptions): Promise<DatabaseServer> {
  const dir = await copyOfTemplate(kind.template, `umbus-${kind.flavor}-`);
  const setup = { kind, dir, serverId: randomServerId() };
  const extraArgs = options.args ?? [];
  let running: ServerProcess | null = null;
  try {
    const started = await runOnFreePort(setup, extraArgs);
    running = started.running;
    const server = new ThrowawayServer(setup, started.port, extraArgs, running);
    const [row] = await server.query('SELECT VERSION() AS version');
    server.version = String(row?.['version']);
    return server;
  } catch (error) {
    await running?.kill9();
    await rm(dir, { recursive: true, force: true });
    throw error;
  }
}
