/**
 * Full pulls of a table without a key while it changes, by seeds: rows that are equal, pullers that begin anew in the middle, an appender that starts anew. Whoever takes the rows between a begin and its end for the
 * table, and applies what comes behind the end, has the source's rows; so does the table of `umbus/consumer`, also when it reads a stretch twice.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createTable, readUms } from '../../src/consumer/index.ts';
import { tablePartition } from '../../src/stages/dispatch.ts';
import { type Random, seededRandom } from '../../src/testing/random.ts';
import type { UmsMessage } from '../../src/ums/types.ts';
import { answersOf, PullWorld, WORLD_PARTITIONS, worldDriver } from '../support/pull-world.ts';
import type { AppendDriver } from '../unit/stages/append-fixture.ts';

const SEEDS = Number(process.env['UMBUS_SEEDS'] ?? 60);
const KEYS = 24;
const NAME =
  Array.from({ length: 200 }, (_, i) => `t${i}`).find(
    name => tablePartition('shop', name, WORLD_PARTITIONS) === 3,
  ) ?? assert.fail();
const place = { schema: 'shop', table: NAME };

class Simulation {
  readonly world = new PullWorld(NAME, true);
  readonly random: Random;
  readonly messages: UmsMessage[] = [];
  driver: AppendDriver;
  ended = 0;
  #fed = 0;
  #made = 0;
  #pull: string | null = null;
  /** The puller at work: what it has read and not sent, and what it was told. */
  #work: {
    readonly token: string;
    rows: (readonly [number, string])[] | null;
    sent: number;
    high: boolean;
  } | null = null;

  constructor(seed: number) {
    this.random = seededRandom(seed);
    this.driver = worldDriver();
  }

  change(): void {
    const { world, random } = this;
    const id = random.below(KEYS);
    const to = random.below(KEYS);
    const chance = random.below(200);
    if (chance === 0) world.truncate();
    else if (!world.rows.has(id) || chance < 90) world.put(id, `v${random.below(3)}`);
    else if (chance < 150 || world.rows.has(to)) world.remove(id);
    else world.rekey(id, to);
  }

  feed(most: number): void {
    for (; most > 0 && this.#fed < this.world.records.length; most--) {
      if (this.random.chance(0.02)) this.driver = worldDriver(this.driver);
      const record = this.world.records[this.#fed++] ?? assert.fail();
      this.driver.run(record.run, 'web.shop', record.headers);
      for (const { output } of this.driver.emitted) {
        if (output.schema === 'shop') this.messages.push(readUms(output.value));
      }
      for (const answer of answersOf(this.driver)) {
        if (answer.pull !== this.#pull) continue;
        if (answer.kind === 'ended') this.ended++;
        if (answer.kind === 'ended' || answer.kind === 'aborted') this.#pull = null;
        const work = this.#work;
        if (work === null || !('token' in answer) || answer.token !== work.token) continue;
        if (answer.kind === 'high') work.high = true;
        else if (answer.kind === 'void') this.#work = null;
      }
      this.driver.emitted.length = 0;
    }
  }

  /** One step of the pull; begins one when there is none. */
  step(): void {
    const { world, random } = this;
    if (this.#pull === null) {
      this.#pull = `pull${++this.#made}`;
      this.#work = null;
      world.signal({ ...place, kind: 'begin', pull: this.#pull, whole: true, hold: 'rows' });
      world.signal({ ...place, kind: 'split', pull: this.#pull, shards: 1 });
      return;
    }
    const shard = { ...place, pull: this.#pull, shard: 0 };
    // The one at work may have been given up for dead.
    if (this.#work === null || random.chance(0.04)) {
      this.#work = { token: `w${++this.#made}`, rows: null, sent: 0, high: false };
      world.signal({ ...shard, kind: 'low', token: this.#work.token });
      return;
    }
    const work = this.#work;
    if (work.rows === null) {
      if (random.chance(0.3)) this.change();
      work.rows = [...world.rows];
      if (random.chance(0.3)) this.change();
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

/** What a reader has that knows the begin and the end of pulls, and that rows may be equal. */
function naive(messages: readonly UmsMessage[]): string[] {
  let bag: string[] = [];
  let pulled: string[] = [];
  for (const { protocol, schema, payload } of messages) {
    if (protocol.type === 'data_increment_termination') bag = [];
    if (schema.batch?.state === 'begin') pulled = [];
    if (schema.batch?.state === 'end') bag = pulled;
    if (protocol.type === 'data_increment_termination' || schema.batch !== undefined) continue;
    for (const { tuple } of payload) {
      const row = JSON.stringify(tuple.slice(-2));
      if (protocol.type === 'data_initial_data') pulled.push(row);
      else if (tuple[2] === 'i' || tuple[2] === 'u') bag.push(row);
      else if (bag.includes(row)) bag.splice(bag.indexOf(row), 1);
    }
  }
  return bag.sort();
}

function simulate(seed: number): void {
  const simulation = new Simulation(seed);
  const { random, world } = simulation;
  // Rows from before the line, which no event brings.
  for (let i = 0; i < KEYS; i++) if (random.chance(0.6)) world.rows.set(i, `old${i % 2}`);
  for (let i = 0; i < 300; i++) {
    if (random.chance(0.4)) simulation.change();
    else simulation.step();
    if (random.chance(0.5)) simulation.feed(1 + random.below(6));
  }
  const before = simulation.ended;
  for (let i = 0; i < 3000 && simulation.ended < before + 2; i++) {
    if (random.chance(0.02)) simulation.change();
    simulation.step();
    simulation.feed(3);
  }
  assert.ok(simulation.ended >= before + 2, 'pulls end');
  simulation.feed(Number.POSITIVE_INFINITY);
  const rows = [...world.rows].map(row => JSON.stringify(world.shown(row))).sort();
  const { messages } = simulation;
  assert.deepEqual(naive(messages), rows, 'the naive reader');
  const table = createTable();
  for (const message of messages) table.apply(message);
  const from = random.below(messages.length);
  for (const message of messages.slice(from)) table.apply(message);
  const kept = [...table.rows()].map(({ id, name }) => JSON.stringify([id, name])).sort();
  assert.deepEqual(kept, rows, 'umbus/consumer');
  assert.deepEqual([...simulation.driver.held], [], 'nothing waits');
}

test(`a table without a key that was pulled while it changed is the source's, for ${SEEDS} seeds`, () => {
  const only = process.env['UMBUS_SEED'];
  const seeds = only === undefined ? Array.from({ length: SEEDS }, (_, i) => i + 1) : [Number(only)];
  for (const seed of seeds) {
    try {
      simulate(seed);
    } catch (error) {
      throw new Error(
        `Seed ${seed}. Replay: UMBUS_SEED=${seed} node --test test/simulation/pull-keyless.test.ts`,
        { cause: error },
      );
    }
  }
});
