/**
 * Pullers as they run, by seeds, on the log in memory and a source whose answers come late, are lost, or come to nobody: they are killed, or given up for dead and go on, while their table changes, and the extractor and the
 * appender are killed too. Whenever all has been processed, readers have nothing else than the source, and no row comes twice.
 */
import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { test } from 'node:test';
import { createMemoryLog, type MemoryLog } from '../../src/adapters/memory/index.ts';
import { AnswerBoard } from '../../src/adapters/pull/answer-board.ts';
import { pullShard, type ShardTools } from '../../src/adapters/pull/pull-shard.ts';
import type { PullAnswer } from '../../src/change/pull-signal.ts';
import { decodeRawRun, encodeRawRun } from '../../src/change/raw-run.ts';
import { UmbusError } from '../../src/core/errors.ts';
import type { Writer } from '../../src/ports/log.ts';
import type { PullRows, PullSource } from '../../src/ports/pull-source.ts';
import type { KeyRange } from '../../src/sharding/key-range.ts';
import { type Random, seededRandom } from '../../src/testing/random.ts';
import { VirtualClock } from '../../src/testing/virtual-clock.ts';
import { PullCheck } from '../support/pull-check.ts';
import { disposable, pulledSource, pulledTable, shardTask } from '../support/pull-jobs.ts';
import { forSeeds, PULLED, PullLine } from '../support/pull-line.ts';
import { changeRandomly, landRandomly, PullWorld } from '../support/pull-world.ts';

const SEEDS = Number(process.env['UMBUS_SEEDS'] ?? 30);
const KEYS = 24;
const SHARD = 6;
const SHARDS = KEYS / SHARD;
const STEPS = 300;
const PAGES = { topic: 'web.shop', partition: 0 };
const ANSWERS = 'web_pull';
const { signal } = new AbortController();

/** Something that a puller has asked the source for. */
interface Asked {
  readonly by: Puller;
  readonly act: () => void;
  readonly lose: (error: UmbusError) => void;
}

/** A process that reads a shard; one that is dead gets no answers, and nothing of it goes on. */
interface Puller {
  readonly shard: number;
  dead: boolean;
  /** Whether it has begun to read since its low watermark. */
  reads: boolean;
}

class Simulation {
  readonly random: Random;
  readonly world: PullWorld;
  readonly line: PullLine;
  readonly check: PullCheck;
  readonly #clock = new VirtualClock(0);
  readonly #log: MemoryLog;
  readonly #boards: AnswerBoard[] = [];
  #appender: Writer | null = null;
  #asked: Asked[] = [];
  #pullers: Puller[] = [];
  #tokens = 0;
  #pages = 0;
  #pulls = 0;
  #pull: string | null = null;
  /** Shards that are not whole. */
  readonly #open = new Set<number>();
  /** Of a hundred steps; where there are few, most rows are there from the beginning to the end of a pull. */
  readonly #changes: number;
  ended = 0;

  constructor(seed: number) {
    const random = seededRandom(seed);
    this.random = random;
    this.#changes = random.pick([1, 20]) ?? 20;
    this.world = new PullWorld(PULLED, { waits: true, runBytes: random.pick([250, 1500, 262_144]) ?? 250 });
    for (let i = 0; i < KEYS; i++) if (random.chance(0.8)) this.world.rows.set(i, `old${i}`);
    const append = { changedKeys: random.pick([5, 200_000]) ?? 5 };
    this.line = new PullLine({ world: this.world, random, atomic: true, commits: 0.5, kills: 0.02, append });
    this.check = new PullCheck(this.world, this.line);
    this.#log = createMemoryLog({ clock: this.#clock });
  }

  async open(): Promise<void> {
    const shape = { partitions: 1, cleanup: 'delete', retentionMs: null, retentionBytes: null } as const;
    await this.#log.ensureTopics([
      { name: PAGES.topic, ...shape },
      { name: ANSWERS, ...shape },
    ]);
    this.#appender = await this.#log.openWriter('appender');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const board of this.#boards) await board[Symbol.asyncDispose]();
  }

  /** Whether a pull is under way. */
  get pulling(): boolean {
    return this.#pull !== null;
  }

  begin(): void {
    this.#pull = `pull${++this.#pulls}`;
    for (let shard = 0; shard < SHARDS; shard++) this.#open.add(shard);
    this.world.signal({ schema: 'shop', table: PULLED, kind: 'begin', pull: this.#pull, whole: true });
  }

  /** One step of somebody. `calm`: nobody dies any more, and nothing is lost. */
  async step(calm: boolean): Promise<void> {
    const { random, world } = this;
    const chance = random.below(100);
    if (chance < this.#changes && !calm) changeRandomly(world, random, KEYS);
    else if (chance < 40) landRandomly(world, random);
    else if (chance < 60) await this.#feed(1 + random.below(6));
    else if (chance < 70) this.#someone(calm);
    else if (chance < 95) this.#answer(calm);
    else this.#clock.moveTo(this.#clock.now() + random.below(20_000));
    await this.#settle();
    this.check.look();
  }

  async drain(): Promise<void> {
    this.world.land();
    const answers: PullAnswer[] = [];
    this.line.drain(answer => answers.push(answer));
    await this.#tell(answers);
    await this.#settle();
  }

  async #feed(most: number): Promise<void> {
    const answers: PullAnswer[] = [];
    this.line.feed(most, answer => answers.push(answer));
    await this.#tell(answers);
  }

  async #tell(answers: readonly PullAnswer[]): Promise<void> {
    for (const answer of answers) {
      const value = Buffer.from(JSON.stringify(answer), 'utf8');
      const record = { topic: ANSWERS, partition: 0, key: null, value, timestampMs: 0, headers: {} };
      await this.#appender?.append([record]);
      if (answer.pull !== this.#pull) continue;
      if (answer.kind === 'aborted') assert.fail(answer.failure.message);
      if (answer.kind !== 'ended') continue;
      this.ended++;
      this.#pull = null;
      this.#open.clear();
      this.check.whole = true;
    }
  }

  /** Lets all go on that need not wait, and puts pages where they stand among the records. */
  async #settle(): Promise<void> {
    for (let turn = 0; turn < 3; turn++) await new Promise(resolve => setImmediate(resolve));
    const pages = this.#log.records(PAGES);
    for (; this.#pages < pages.length; this.#pages++) {
      const { value, headers } = pages[this.#pages] ?? assert.fail();
      this.world.records.push({ run: decodeRawRun(value ?? assert.fail()), headers });
    }
  }

  /** A puller begins, maybe at a shard that another has, who was given up for dead; or one dies. */
  #someone(calm: boolean): void {
    const { random } = this;
    const puller = random.pick(this.#pullers);
    if (puller !== undefined && !calm && random.chance(0.3)) {
      puller.dead = true;
      this.#pullers = this.#pullers.filter(each => each !== puller);
      return;
    }
    const free = [...this.#open].filter(
      shard => (!calm && random.chance(0.2)) || this.#pullers.every(each => each.shard !== shard),
    );
    const shard = random.pick(free);
    if (shard === undefined || this.#pull === null) return;
    const own: Puller = { shard, dead: false, reads: false };
    this.#pullers.push(own);
    void this.#reads(own, this.#pull);
  }

  async #reads(own: Puller, pull: string): Promise<void> {
    const board = await AnswerBoard.open(this.#log, ANSWERS, this.#clock);
    this.#boards.push(board);
    const writer = await this.#log.openWriter(`w${++this.#tokens}`);
    const { shard } = own;
    const task = shardTask({
      ...{ pull, table: PULLED, shardRows: 2, cutBy: 'id', shard },
      after: shard === 0 ? null : [String(shard * SHARD - 1)],
      upTo: shard === SHARDS - 1 ? null : [String((shard + 1) * SHARD - 1)],
    });
    const tools: ShardTools = {
      source: this.#source(own),
      board,
      clock: this.#clock,
      target: PAGES,
      writer: { append: async records => await (own.dead ? never : writer.append(records)), ...disposable },
      encode: encodeRawRun,
      newToken: () => `t${++this.#tokens}`,
      pageBytes: 1,
      ahead: () => 8,
      pace: async () => !this.random.chance(0.03),
      passing: answer => answer,
    };
    while (!own.dead) {
      const { kind } = await pullShard(task, tools, signal).catch(error => {
        if (!(error instanceof UmbusError && error.retryable)) throw error;
        return { kind: 'again' } as const;
      });
      if (kind === 'again') continue;
      this.#open.delete(shard);
      this.#pullers = this.#pullers.filter(each => each !== own);
      return;
    }
  }

  #source(by: Puller): PullSource {
    const { world } = this;
    const table = pulledTable({
      ...{ table: PULLED, cutBy: 'id', page: world.entry },
      read: (range, _, limit) => this.#ask(by, () => this.#rows(by, range, limit)),
    });
    return pulledSource(table, each =>
      this.#ask(by, () => {
        // What it reads is older than the high watermark, so that its rows stand behind all that they have in them.
        if (each.kind === 'high') assert.ok(by.reads, 'it has begun to read');
        by.reads = false;
        world.signal(each);
      }),
    );
  }

  #rows(by: Puller, { after, upTo }: KeyRange, limit: number): PullRows {
    const { world, random } = this;
    by.reads = true;
    const [above, most] = [Number(after?.[0] ?? -1), Number(upTo?.[0] ?? KEYS)];
    const rows = [...world.rows]
      .filter(([id]) => id > above && id <= most)
      .sort(([a], [b]) => a - b)
      .slice(0, limit);
    const page = () => {
      const taken = rows.splice(0, 1 + random.below(3));
      const last = taken.at(-1);
      return last === undefined
        ? null
        : { events: world.images(taken), rows: taken.length, last: [String(last[0])] };
    };
    return { page: () => this.#ask(by, page), ...disposable };
  }

  /** What is asked for happens at some time, and its answer comes later, unless either is lost. */
  #ask<T>(by: Puller, work: () => T): Promise<T> {
    return new Promise((resolve, reject) => {
      const act = (): void => {
        const answer = work();
        // Nobody hears the answer to one that is dead.
        this.#asked.push({ by, act: () => (by.dead ? undefined : resolve(answer)), lose: reject });
      };
      this.#asked.push({ by, act, lose: reject });
    });
  }

  #answer(calm: boolean): void {
    const { random } = this;
    const asked = random.pick(this.#asked);
    if (asked === undefined) return;
    this.#asked = this.#asked.filter(each => each !== asked);
    if (!calm && random.chance(0.03)) {
      if (random.chance(0.5)) asked.act();
      asked.lose(new UmbusError('UMBUS_SOURCE_DISCONNECTED', 'The connection was cut.'));
    } else if (!asked.by.dead || random.chance(0.3)) asked.act();
  }
}

const never = new Promise<void>(() => {});

async function simulate(seed: number): Promise<void> {
  await using simulation = new Simulation(seed);
  await simulation.open();
  for (let i = 0; i < STEPS; i++) {
    if (!simulation.pulling && simulation.random.chance(0.1)) simulation.begin();
    await simulation.step(false);
  }
  if (simulation.ended === 0 && !simulation.pulling) simulation.begin();
  for (let i = 0; i < 10_000 && simulation.pulling; i++) await simulation.step(true);
  assert.ok(!simulation.pulling, 'the pull ends');
  await simulation.drain();
  simulation.check.end(simulation.random);
}

test(`shards that real pullers read while they die are the source's, for ${SEEDS} seeds`, async () => {
  await forSeeds(SEEDS, 'test/simulation/pull-shards.test.ts', simulate);
});
