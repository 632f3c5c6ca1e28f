/**
 * Full pulls while their table changes, or while its changes wait, by seeds: windows that nobody closes, pages of pullers that were given up for dead, shards that are taken again, an appender and an extractor that are
 * killed, watermarks and changes of several windows in one record or a transaction in several. Whenever all has been processed, a reader that applies the result in order, compares no ids and remembers no deletes has
 * nothing else than the source; and so has the table of `umbus/consumer` in the end.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PullAnswer } from '../../src/change/pull-signal.ts';
import { type Random, seededRandom } from '../../src/testing/random.ts';
import { PullCheck } from '../support/pull-check.ts';
import { forSeeds, PULLED, PullLine } from '../support/pull-line.ts';
import { changeRandomly, landRandomly, PullWorld } from '../support/pull-world.ts';

const SEEDS = Number(process.env['UMBUS_SEEDS'] ?? 100);
const KEYS = 24;
const SHARD = 6;
const SHARDS = KEYS / SHARD;
const place = { schema: 'shop', table: PULLED };

/** A puller at work on a shard. */
interface Work {
  readonly token: string;
  readonly shard: number;
  /** What it was told to begin behind; undefined before it was told. */
  after?: number;
  /** Rows read and not sent yet; null before they are read. */
  rows: (readonly [number, string])[] | null;
  asked: boolean;
  high: boolean;
  page: number;
}

class Simulation {
  readonly random: Random;
  readonly world: PullWorld;
  readonly line: PullLine;
  readonly check: PullCheck;
  #tokens = 0;
  #pulls = 0;
  /** The pull that runs. */
  pull: {
    readonly name: string;
    /** Shards that are cut, and those of them that are not whole. */
    cut: number;
    readonly open: Set<number>;
    readonly blocking: boolean;
  } | null = null;
  works: Work[] = [];
  ended = 0;

  constructor(seed: number) {
    const random = seededRandom(seed);
    this.random = random;
    this.world = new PullWorld(PULLED, { waits: true, runBytes: random.pick([250, 1500, 262_144]) ?? 250 });
    // Rows from before the line, which no event brings.
    for (let i = 0; i < KEYS; i++) if (random.chance(0.6)) this.world.rows.set(i, `old${i}`);
    const placed = random.chance(0.3);
    this.line = new PullLine({
      world: this.world,
      random,
      atomic: random.chance(0.6),
      commits: random.pick([0.1, 0.5, 1]) ?? 1,
      kills: random.pick([0, 0.01, 0.05]) ?? 0,
      append: {
        changedKeys: random.pick([3, 10, 200_000]) ?? 10,
        ...(placed && {
          result: () => ({ partitions: 3, placeBy: 'primary-key', columns: () => null }),
        }),
      },
    });
    this.check = new PullCheck(this.world, this.line, placed);
  }

  change(): void {
    changeRandomly(this.world, this.random, KEYS);
  }

  /** Lets the extractor and the appender go on. */
  go(most: number): void {
    landRandomly(this.world, this.random);
    this.line.feed(most, this.hear);
    this.check.look();
  }

  readonly hear = (answer: PullAnswer): void => {
    // Of a pull before, whose pullers go on.
    if (answer.pull !== this.pull?.name) return;
    const work = 'token' in answer ? this.works.find(({ token }) => token === answer.token) : undefined;
    switch (answer.kind) {
      case 'low':
        if (work !== undefined && work.rows === null)
          work.after = answer.next === null ? -1 : Number(answer.next);
        return;
      case 'high':
        if (work !== undefined) work.high = true;
        return;
      case 'known':
        this.pull?.open.delete(answer.shard);
        this.works = this.works.filter(each => each !== work);
        return;
      case 'page':
        if (answer.whole) this.pull?.open.delete(answer.shard);
        return;
      case 'void':
        this.works = this.works.filter(each => each !== work);
        return;
      case 'ended':
        this.ended++;
        this.pull = null;
        this.check.whole = true;
        return;
      case 'aborted':
        // What waits does not go with rows from before or behind a TRUNCATE.
        if (this.pull?.blocking !== true || answer.failure.code !== 'UMBUS_PULL_CHANGED') {
          assert.fail(answer.failure.message);
        }
        this.pull = null;
        return;
    }
  };

  begin(): void {
    const name = `pull${++this.#pulls}`;
    const blocking = this.random.chance(0.3);
    this.pull = { name, cut: 0, open: new Set(), blocking };
    this.works = [];
    this.world.signal({
      ...place,
      kind: 'begin',
      pull: name,
      whole: true,
      ...(blocking && { hold: 'begin' }),
    });
  }

  /** One step of some puller. */
  step(): void {
    const { pull, random, world } = this;
    if (pull === null) return;
    // The table is still cut while its first shards are read.
    if (pull.cut < SHARDS && random.chance(0.3)) pull.open.add(pull.cut++);
    const shard = random.pick([...pull.open]);
    // A shard may be taken although somebody else is at it: he was given up for dead, and goes on all the same.
    if (shard !== undefined && (this.works.length === 0 || random.chance(0.25))) {
      const token = `w${++this.#tokens}`;
      this.works.push({ token, shard, rows: null, asked: false, high: false, page: 0 });
      const last = shard === SHARDS - 1 ? ({ last: true } as const) : null;
      world.signal({ ...place, kind: 'low', pull: pull.name, shard, token, ...last });
      return;
    }
    const work = random.pick(this.works);
    if (work === undefined) return;
    // A puller is killed, or its connection is: nobody goes on with its window.
    if (random.chance(0.03)) this.works = this.works.filter(each => each !== work);
    else this.#work(work, pull.name);
  }

  #work(work: Work, pull: string): void {
    const { random, world } = this;
    const { token, shard, after } = work;
    if (after === undefined) return;
    if (work.rows === null) {
      const [first, last] = [shard * SHARD, (shard + 1) * SHARD];
      work.rows = [...world.rows]
        .filter(([id]) => id >= first && id < last && id > after)
        .sort(([a], [b]) => a - b);
      return;
    }
    if (!work.asked) {
      work.asked = true;
      world.signal({ ...place, kind: 'high', pull, shard, token });
    }
    // It may not have waited for the answer.
    if (!work.high && !random.chance(0.02)) return;
    const rows = work.rows.splice(0, 1 + random.below(4));
    const last = work.rows.length === 0;
    const write = (): void =>
      world.page(token, work.page, rows, last ? null : String(rows.at(-1)?.[0] ?? -1));
    // One page may be lost on its way while the next is not, and one may come twice.
    if (!random.chance(0.02)) write();
    if (random.chance(0.02)) write();
    work.page++;
    // What it may read at a time was all, or it is done.
    if (last || random.chance(0.1)) this.works = this.works.filter(each => each !== work);
  }

  /** All that was written has been processed. */
  drain(): void {
    this.world.land();
    this.line.drain(this.hear);
    this.check.look();
  }
}

function simulate(seed: number): number {
  const simulation = new Simulation(seed);
  const { random } = simulation;
  for (let i = 0; i < 400; i++) {
    if (simulation.pull === null && random.chance(0.2)) simulation.begin();
    else if (random.chance(0.45)) simulation.change();
    else simulation.step();
    if (random.chance(0.5)) simulation.go(1 + random.below(6));
  }
  for (let i = 0; i < 5000 && (simulation.pull !== null || simulation.ended === 0); i++) {
    // One that was aborted has not brought the rows from before the line.
    if (simulation.pull === null) simulation.begin();
    simulation.step();
    simulation.go(3);
    if (i > 1000) simulation.drain();
  }
  assert.equal(simulation.pull, null, 'the pull ends');
  simulation.drain();
  simulation.check.end(random);
  return simulation.ended;
}

test(`a table that was pulled while it changed is the source's, for ${SEEDS} seeds`, async () => {
  let ended = 0;
  await forSeeds(SEEDS, 'test/simulation/pull-merge.test.ts', seed => {
    ended += simulate(seed);
  });
  assert.ok(ended > 0);
});
