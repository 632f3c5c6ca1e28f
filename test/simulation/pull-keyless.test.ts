/**
 * Full pulls of a table without a key while it changes, by seeds: rows that are equal, pullers that begin anew in the middle, an appender and an extractor that are killed. Whoever takes the rows between a begin and its end
 * for the table, and applies what comes behind the end, has the source's rows; so does the table of `umbus/consumer`, also when it reads a stretch twice.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PullAnswer } from '../../src/change/pull-signal.ts';
import { createTable } from '../../src/consumer/index.ts';
import { type Random, seededRandom } from '../../src/testing/random.ts';
import { forSeeds, PULLED, PullLine } from '../support/pull-line.ts';
import { BagReader } from '../support/pull-readers.ts';
import { changeRandomly, landRandomly, PullWorld } from '../support/pull-world.ts';

const SEEDS = Number(process.env['UMBUS_SEEDS'] ?? 60);
const KEYS = 24;
const place = { schema: 'shop', table: PULLED };

class Simulation {
  readonly random: Random;
  readonly world: PullWorld;
  readonly line: PullLine;
  readonly reader = new BagReader();
  ended = 0;
  #made = 0;
  #pull: string | null = null;
  /** The puller at work: what it has read and not sent, and what it was told. */
  #work: {
    readonly token: string;
    rows: (readonly [number, string])[] | null;
    asked: boolean;
    sent: number;
    high: boolean;
  } | null = null;

  constructor(seed: number) {
    const random = seededRandom(seed);
    this.random = random;
    const runBytes = random.pick([250, 1500, 262_144]) ?? 250;
    this.world = new PullWorld(PULLED, { keyless: true, waits: true, runBytes });
    // Rows from before the line, which no event brings.
    for (let i = 0; i < KEYS; i++) if (random.chance(0.6)) this.world.rows.set(i, `old${i % 2}`);
    // A reader that may see outputs twice needs their ids.
    this.line = new PullLine({ world: this.world, random, atomic: true, commits: 0.5, kills: 0.02 });
  }

  change(): void {
    changeRandomly(this.world, this.random, KEYS);
  }

  /** Lets the extractor and the appender go on. */
  go(most: number): void {
    landRandomly(this.world, this.random);
    this.line.feed(most, this.hear);
    this.look();
  }

  look(): void {
    const { line, reader, world } = this;
    reader.read(line.published);
    // What waits for a pull is not to be had yet.
    const held = line.driver.pulls.get(`shop.${PULLED}`)?.held ?? null;
    if (reader.ended === 0 || !line.settled || held !== null) return;
    assert.deepEqual(reader.rows, shown(world, line.reference), 'a plain reader');
  }

  readonly hear = (answer: PullAnswer): void => {
    if (answer.pull !== this.#pull) return;
    if (answer.kind === 'ended') this.ended++;
    if (answer.kind === 'ended' || answer.kind === 'aborted') this.#pull = null;
    const work = this.#work;
    if (work === null || !('token' in answer) || answer.token !== work.token) return;
    if (answer.kind === 'high') work.high = true;
    else if (answer.kind === 'void') this.#work = null;
  };

  /** One step of the pull; begins one when there is none. */
  step(): void {
    const { world, random } = this;
    if (this.#pull === null) {
      this.#pull = `pull${++this.#made}`;
      this.#work = null;
      world.signal({ ...place, kind: 'begin', pull: this.#pull, whole: true, hold: 'rows' });
      return;
    }
    const shard = { ...place, pull: this.#pull, shard: 0, last: true } as const;
    // The one at work may have been given up for dead.
    if (this.#work === null || random.chance(0.04)) {
      this.#work = { token: `w${++this.#made}`, rows: null, asked: false, sent: 0, high: false };
      world.signal({ ...shard, kind: 'low', token: this.#work.token });
      return;
    }
    const work = this.#work;
    if (work.rows === null) {
      if (random.chance(0.3)) this.change();
      work.rows = [...world.rows];
      if (random.chance(0.3)) this.change();
    }
    if (!work.asked) {
      work.asked = true;
      world.signal({ ...shard, kind: 'high', token: work.token });
      return;
    }
    if (!work.high) return;
    const rows = work.rows.splice(0, 1 + random.below(5));
    const last = work.rows.length === 0;
    world.page(work.token, work.sent++, rows, last ? null : '[]');
    if (last) this.#work = null;
  }
}

function shown(world: PullWorld, rows: Iterable<readonly [number, string]>): string[] {
  return [...rows].map(row => JSON.stringify(world.shown(row))).sort();
}

function simulate(seed: number): void {
  const simulation = new Simulation(seed);
  const { random, world, line } = simulation;
  for (let i = 0; i < 300; i++) {
    if (random.chance(0.4)) simulation.change();
    else simulation.step();
    if (random.chance(0.5)) simulation.go(1 + random.below(6));
  }
  const before = simulation.ended;
  for (let i = 0; i < 3000 && simulation.ended < before + 2; i++) {
    if (random.chance(0.02)) simulation.change();
    simulation.step();
    simulation.go(3);
  }
  assert.ok(simulation.ended >= before + 2, 'pulls end');
  world.land();
  line.drain(simulation.hear);
  simulation.look();
  const rows = shown(world, world.rows);
  assert.deepEqual(simulation.reader.rows, rows, 'a plain reader');
  const table = createTable();
  const messages = line.published.map(({ message }) => message);
  for (const message of messages) table.apply(message);
  const from = random.below(messages.length);
  for (const message of messages.slice(from)) table.apply(message);
  const kept = [...table.rows()].map(({ id, name }) => JSON.stringify([id, name])).sort();
  assert.deepEqual(kept, rows, 'umbus/consumer');
  assert.deepEqual([...line.driver.held], [], 'nothing waits');
}

test(`a table without a key that was pulled while it changed is the source's, for ${SEEDS} seeds`, async () => {
  await forSeeds(SEEDS, 'test/simulation/pull-keyless.test.ts', simulate);
});
