import { type BinlogPlace, drainedTo } from '../../../src/cli/drained.ts';
import { binlogEnd, probe, type RunningLine, startLine } from '../running-line.ts';
import type { Server } from '../servers.ts';
import { until } from '../until.ts';

/** So few bytes that a statement or two fill a run, and a line can be stopped between any of them. */
const RUN_BYTES = 400;

/** A line that is started and stopped again and again, on one log. */
export class RestartedLine implements AsyncDisposable {
  readonly #server: Server;
  readonly #schemas: readonly string[];
  readonly #dir: string;
  #line: RunningLine | null = null;
  #starts = 0;
  /** Where the line begins, once it is started. */
  begin: BinlogPlace;

  /** `dir`: where its log is; the caller removes it. */
  constructor(server: Server, schemas: readonly string[], dir: string, begin: BinlogPlace) {
    this.#server = server;
    this.#schemas = schemas;
    this.#dir = dir;
    this.begin = begin;
  }

  /** How often it was started. */
  get starts(): number {
    return this.#starts;
  }

  /** Starts the line where it does not run. */
  async up(): Promise<RunningLine> {
    if (this.#line !== null) return this.#line;
    this.#starts++;
    this.#line = await startLine({
      server: this.#server,
      schemas: this.#schemas,
      dir: this.#dir,
      partitions: 1,
      runBytes: RUN_BYTES,
      start: this.begin,
    });
    return this.#line;
  }

  /** Stops it, wherever it is. */
  async down(): Promise<void> {
    await this.#line?.[Symbol.asyncDispose]();
    this.#line = null;
  }

  /** Runs it until so many more runs are landed, or there is nothing more to land. */
  async glimpse(runs: number): Promise<void> {
    const end = await binlogEnd(this.#server);
    await probe(this.#server);
    const { log, line } = await this.up();
    const landed = async (): Promise<bigint> => {
      const isThere = (await log.topics()).some(({ name }) => name === line.ds);
      return isThere ? await log.offset({ topic: line.ds, partition: 0 }, 'latest') : 0n;
    };
    const enough = (await landed()) + BigInt(runs);
    await until(
      'a few runs to land',
      async () => (await landed()) >= enough || (await drainedTo(log, line, end)),
    );
    await this.down();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.down();
  }
}
