/** An appender behind the world of a table that is pulled, which is killed between its commits, and what its readers have. */
import assert from 'node:assert/strict';
import type { PullAnswer } from '../../src/change/pull-signal.ts';
import { readUms } from '../../src/consumer/index.ts';
import type { AppendOptions } from '../../src/stages/append.ts';
import { tablePartition } from '../../src/stages/dispatch.ts';
import type { Random } from '../../src/testing/random.ts';
import type { UmsMessage } from '../../src/ums/types.ts';
import { AppendDriver } from '../unit/stages/append-fixture.ts';
import { answersOf, type PullWorld } from './pull-world.ts';

/** Partitions of the topics of a world whose pulls an appender follows. */
const PARTITIONS = 8;

/** The one that the appender has. */
export const PARTITION = 3;
/** A table of that one. */
export const PULLED =
  Array.from({ length: 200 }, (_, i) => `t${i}`).find(
    name => tablePartition('shop', name, PARTITIONS) === PARTITION,
  ) ?? assert.fail();

const STORES = ['states', 'schemas', 'signals', 'pulls', 'changed', 'held'] as const;

/** A message, and its partition of the result topic. */
export interface Published {
  readonly message: UmsMessage;
  readonly partition: number;
}

/** How the appender commits. */
export interface PullLineOptions {
  readonly world: PullWorld;
  readonly random: Random;
  /** Outputs and all else are one transaction; else outputs come first, and once more after a kill in between. */
  readonly atomic: boolean;
  /** How likely it commits, and is killed, after a record. */
  readonly commits: number;
  readonly kills: number;
  readonly append?: Partial<AppendOptions>;
}

/** What has been processed and is durable. */
interface Committed {
  readonly fed: number;
  readonly stores: readonly (readonly [
    name: (typeof STORES)[number],
    entries: readonly (readonly [string, unknown])[],
  ])[];
}

export class PullLine {
  readonly published: Published[] = [];
  readonly #options: PullLineOptions;
  driver: AppendDriver;
  #committed: Committed;
  #fed = 0;
  /** Records that were processed at most, and where in the binlog those end. */
  #most = 0;
  #place = 0;
  /** The table as it was at the end of what was processed. */
  readonly reference: Map<number, string>;
  /** How much of what its driver has emitted is out. */
  #out = 0;

  constructor(options: PullLineOptions) {
    this.#options = options;
    this.reference = new Map(options.world.rows);
    this.#committed = { fed: 0, stores: [] };
    this.driver = this.#start();
  }

  get atomic(): boolean {
    return this.#options.atomic;
  }

  /** Whether all that it has processed is out, and nothing is processed again. */
  get settled(): boolean {
    return this.#out === this.driver.emitted.length && this.#fed === this.#most;
  }

  /** Processes records, and gives what it answered to pulls, with what came out before each answer. */
  feed(most: number, hear: (answer: PullAnswer) => void): void {
    const { world, random, atomic, commits, kills } = this.#options;
    if (this.#fed === world.records.length && random.chance(commits)) this.#commit(hear);
    for (let left = most; left > 0 && this.#fed < world.records.length; left--) {
      const { run, headers } = world.records[this.#fed++] ?? assert.fail();
      this.driver.run(run, 'web.shop', headers);
      if (!atomic) this.#publish(hear);
      if (this.#fed > this.#most) {
        this.#most = this.#fed;
        if (run.next > this.#place) world.replay(this.reference, this.#place, run.next);
        this.#place = Math.max(this.#place, run.next);
      }
      if (random.chance(kills)) this.#kill();
      else if (random.chance(commits)) this.#commit(hear);
    }
  }

  /** Processes all that there is, and commits it. */
  drain(hear: (answer: PullAnswer) => void): void {
    while (this.#fed < this.#options.world.records.length) this.feed(Number.POSITIVE_INFINITY, hear);
    this.#commit(hear);
  }

  #publish(hear: (answer: PullAnswer) => void): void {
    const emitted = this.driver.emitted.slice(this.#out);
    this.#out = this.driver.emitted.length;
    for (const { output } of emitted) {
      if (output.schema !== 'shop') continue;
      this.published.push({ message: readUms(output.value), partition: output.partition });
    }
    for (const answer of answersOf({ emitted })) hear(answer);
  }

  #commit(hear: (answer: PullAnswer) => void): void {
    this.#publish(hear);
    this.driver.emitted.length = 0;
    this.#out = 0;
    this.#committed = { fed: this.#fed, stores: STORES.map(name => [name, [...this.driver[name]]]) };
  }

  /** All that is not committed is lost. */
  #kill(): void {
    this.#fed = this.#committed.fed;
    this.#out = 0;
    this.driver = this.#start();
  }

  /** An appender with what is committed. */
  #start(): AppendDriver {
    const driver = new AppendDriver({
      signals: { schema: 'dbus', partitions: PARTITIONS },
      subscribed: schema => schema === 'shop',
      maxRows: 3,
      ...this.#options.append,
    });
    for (const [name, entries] of this.#committed.stores) {
      // Entries of the same store.
      for (const [key, value] of entries) (driver[name] as Map<string, unknown>).set(key, value);
    }
    return driver;
  }
}

/** Runs a simulation for seeds from 1 on, or for the one that the environment names; says how a seed that fails is replayed. `file`: of the test. */
export async function forSeeds(
  count: number,
  file: string,
  simulate: (seed: number) => void | Promise<void>,
): Promise<void> {
  const only = process.env['UMBUS_SEED'];
  const seeds = only === undefined ? Array.from({ length: count }, (_, i) => i + 1) : [Number(only)];
  for (const seed of seeds) {
    try {
      await simulate(seed);
    } catch (cause) {
      throw new Error(`Seed ${seed}. Replay: UMBUS_SEED=${seed} node --test ${file}`, { cause });
    }
  }
}
