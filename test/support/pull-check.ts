/** Whether readers of a table that is pulled have what the source has. */
import assert from 'node:assert/strict';
import { createTable } from '../../src/consumer/index.ts';
import type { Random } from '../../src/testing/random.ts';
import { PULLED, type PullLine } from './pull-line.ts';
import { PlainReader } from './pull-readers.ts';
import type { PullWorld } from './pull-world.ts';

/** Rows that a reader of batches has in the beginning, which are not in the source, or not so. */
const GARBAGE = [
  [3, 'stale'],
  [1000, 'gone'],
] as const;

/** Follows what a line publishes, as its readers do. */
export class PullCheck {
  readonly #world: PullWorld;
  readonly #line: PullLine;
  readonly #reader = new PlainReader(false);
  readonly #batches: PlainReader;
  #looked = 0;
  readonly #pulled = new Set<string>();
  /** Whether a pull has brought all rows. */
  whole = false;

  /** `placed`: rows are on several partitions. */
  constructor(world: PullWorld, line: PullLine, placed = false) {
    this.#world = world;
    this.#line = line;
    this.#batches = new PlainReader(true, placed ? [] : GARBAGE);
  }

  /** Compares what readers have with the source as of what they have read, where all of that is out. */
  look(): void {
    const line = this.#line;
    this.#once();
    this.#reader.read(line.published);
    this.#batches.read(line.published);
    // What waits for a pull is not to be had yet.
    const state = line.driver.pulls.get(`shop.${PULLED}`);
    if (!line.settled || (state?.held ?? null) !== null) return;
    for (const [id, name] of this.#reader.rows) assert.equal(name, line.reference.get(id), `row ${id}`);
    if (!this.whole) return;
    assert.deepEqual(sorted(this.#batches.rows), sorted(line.reference), 'a reader of batches');
  }

  /** Where outputs are one transaction with all else, no row comes twice in a batch, whoever died. */
  #once(): void {
    const { published, atomic } = this.#line;
    for (; this.#looked < published.length; this.#looked++) {
      const message = published[this.#looked]?.message;
      if (message?.protocol.type !== 'data_initial_data' || !atomic) continue;
      for (const { tuple } of message.payload) {
        const row = `${message.schema.batchId} ${tuple[4]}`;
        assert.ok(!this.#pulled.has(row), `row ${tuple[4]} is pulled once`);
        this.#pulled.add(row);
      }
    }
  }

  /** When all that was written is published: readers have the source's table, also that of `umbus/consumer`, which reads some stretch twice. */
  end(random: Random): void {
    const line = this.#line;
    this.look();
    const rows = sorted(this.#world.rows);
    assert.deepEqual(sorted(this.#reader.rows), rows, 'a plain reader');
    assert.deepEqual(sorted(this.#batches.rows), rows, 'a reader of batches');
    const table = createTable();
    for (const { message, partition } of line.published) table.apply(message, partition);
    const from = random.below(line.published.length);
    const again = line.published.slice(from, from + random.below(50));
    for (const { message, partition } of again) table.apply(message, partition);
    const kept = [...table.rows()].map(({ id, name }) => [Number(id), String(name)] as const);
    assert.deepEqual(sorted(kept), rows, 'umbus/consumer');
    assert.deepEqual([...line.driver.changed], [], 'no key is remembered when no window is open');
    assert.deepEqual([...line.driver.held], [], 'nothing waits');
  }
}

function sorted(rows: Iterable<readonly [number, string]>): unknown[] {
  return [...rows].sort(([a], [b]) => a - b);
}
