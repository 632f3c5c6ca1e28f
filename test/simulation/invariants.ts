/** What must hold of a line at the end, whatever went wrong on the way (the data path's promises). */
import assert from 'node:assert/strict';
import { subscription } from '../../src/config/subscription.ts';
import { createTables } from '../../src/consumer/index.ts';
import type { StartPoint } from '../../src/ports/change-source.ts';
import { groupNameOf } from '../../src/runtime/start.ts';
import { tablesStore } from '../../src/stages/append.ts';
import { NEW_TABLE } from '../../src/stages/append-state.ts';
import { seededRandom } from '../../src/testing/index.ts';
import { eventText, type StoredEvent } from './binlog-store.ts';
import { type ExpectedTable, expectedTables, type Layout } from './expected.ts';
import { type LineWorld, runWithoutFaults } from './line-world.ts';
import { tableText } from './model-table.ts';
import { type Change, eventsOf, type Observed, observe, type PlacedMessage, rawRuns } from './observed.ts';
import { LEFT_OUT } from './workload.ts';
import type { Fact } from './workload-facts.ts';

/** Checks everything. */
export async function checkLine(world: LineWorld): Promise<void> {
  const observed = observe(world);
  const start = startOf(world);
  const facts = world.workload.facts.filter(({ event }) => indexOf(world, event) >= start.index);
  const isRead = subscription(world.scenario.line);
  const expected = expectedTables(facts, name => hasBeforeImages(world, name), layoutOf(world), isRead);
  checkRaw(world, facts, start.index);
  checkChanges(observed, expected);
  checkOrder(observed);
  checkParked(observed, expected);
  // A line that began later does not have the rows from before.
  if (start.index === 0) checkRebuilt(world, observed);
  await checkAllCommitted(world);
  await checkStates(world, observed, expected);
  if (world.commitMode === 'atomic') assert.equal(observed.repeats, 0, 'Records that were published twice.');
  const undisturbed = observe(await runWithoutFaults(world.scenario, start.place));
  assert.deepEqual(
    textsOf(observed.changes),
    textsOf(undisturbed.changes),
    'The run without faults differs.',
  );
}

/** Where the line began: where its first run says, which must be a place that the server named. */
function startOf(world: LineWorld): { readonly index: number; readonly place: StartPoint } {
  const { source, scenario } = world;
  const first = rawRuns(world).runs[0];
  if (scenario.line.source.start !== 'now' || first === undefined) return { index: 0, place: 'earliest' };
  const place = { file: first.file, position: first.next };
  const index = source.indexAt(place);
  assert.ok(source.starts.has(index), `The line began at ${first.file}:${first.next}, which nobody named.`);
  return { index, place };
}

function indexOf({ workload }: LineWorld, event: StoredEvent): number {
  return workload.store.events.indexOf(event);
}

function hasBeforeImages({ scenario }: LineWorld, name: string): boolean {
  const [schema = '', table = ''] = name.split('.');
  return scenario.line.schemas[schema]?.beforeImage.includes(table) ?? false;
}

/** All schemas of a world are laid out alike. */
function layoutOf({ scenario }: LineWorld): Layout {
  const { schemas, topics } = scenario.line;
  const result = Object.values(schemas)[0]?.result;
  assert.ok(result !== undefined);
  return { ...result, partitions: result.partitions ?? topics.partitions };
}

/** Every change comes once, on the partition of its table or key and in the order that it has there, with the ids, times and versions that the binlog gives it. */
function checkChanges(observed: Observed, expected: ReadonlyMap<string, ExpectedTable>): void {
  const known = new Set<string>();
  for (const [table, { changes: byPartition }] of expected) {
    for (const [partition, changes] of byPartition) {
      const name = `${table}/${partition}`;
      known.add(name);
      assert.deepEqual(textOf(observed.changes.get(name)), changes, `Changes of ${name}`);
      const rowsOnly = changes.filter(text => !/ (ends|beats): /.test(text));
      assert.deepEqual(textOf(observed.changesByUid.get(name)), rowsOnly, `Rows of ${name} by ums_uid_`);
    }
  }
  for (const name of observed.changes.keys()) assert.ok(known.has(name), `${name} is not expected.`);
}

/** Ids grow from row to row of a partition; only the two images of an update share their `ums_id_`. */
function checkOrder({ changes }: Observed): void {
  for (const [name, all] of changes) {
    let last: Change | null = null;
    for (const change of all) {
      if (change.uid === null) continue;
      if (last !== null) {
        assert.ok(change.uid > (last.uid ?? -1n), `ums_uid_ of ${name} does not grow: ${change.text}`);
        const pair = last.op === 'b' && change.op === 'u';
        assert.ok(pair ? change.id === last.id : change.id > last.id, `ums_id_ of ${name}: ${change.text}`);
      }
      last = change;
    }
  }
}

/** All that a parked table did from the bad event on waits in the dead-letter topic, in order, and nothing else is there. */
function checkParked(observed: Observed, expected: ReadonlyMap<string, ExpectedTable>): void {
  const wanted = [...expected].filter(([, { parked }]) => parked.length > 0);
  assert.deepEqual(
    Object.fromEntries(observed.parked),
    Object.fromEntries(wanted.map(([name, { parked }]) => [name, parked])),
  );
}

/**
 * Tables that a consumer builds from all messages, duplicates included, are those of the server, in whichever interleaving it reads the partitions; of a parked table, as
 * it was before the bad event.
 */
function checkRebuilt(world: LineWorld, { messages }: Observed): void {
  checkRebuiltFrom(world, messages);
  if (layoutOf(world).placeBy === 'table') return;
  const random = seededRandom(world.scenario.seed);
  const partitions = [...Map.groupBy(messages, ({ partition }) => partition).values()];
  const mixed: PlacedMessage[] = [];
  for (let left = partitions.filter(each => each.length > 0); left.length > 0; ) {
    const partition = random.pick(left) ?? [];
    mixed.push(...partition.splice(0, 1 + random.below(6)));
    left = left.filter(each => each.length > 0);
  }
  assert.equal(mixed.length, messages.length);
  checkRebuiltFrom(world, mixed);
}

function checkRebuiltFrom({ workload, scenario }: LineWorld, messages: readonly PlacedMessage[]): void {
  const tables = createTables();
  for (const { message, partition } of messages) tables.apply(message, partition);
  for (const schema of Object.keys(scenario.line.schemas)) {
    for (const table of ['orders', 'items', 'notes']) {
      const name = `${schema}.${table}`;
      const { columns, rows } = workload.contentBeforeBad.get(name) ?? workload.content(name);
      assert.deepEqual(tableText(tables.get(name)?.rows() ?? [], columns), rows, `Rebuilt ${name}`);
    }
    assert.equal(tables.get(`${schema}.${LEFT_OUT}`), undefined);
  }
}

/** `<ds>` has each event of the line's tables once and in the order of the binlog, and counts those that it leaves out. */
function checkRaw(world: LineWorld, facts: readonly Fact[], start: number): void {
  const { scenario, duplicated } = world;
  const { runs, records } = rawRuns(world);
  assert.equal(
    records - runs.length,
    duplicated.get(scenario.line.ds) ?? 0,
    'Raw runs that were landed twice.',
  );
  const isRead = subscription(scenario.line);
  const landed = runs.flatMap(run =>
    [...eventsOf(run)].flatMap(({ table, event }) => {
      const [schema = '', name = ''] = (table ?? '').split('.');
      return name !== '' && (isRead(schema, name) || schema === 'dbus') ? [eventText(run.file, event)] : [];
    }),
  );
  const rows = facts.filter(({ what }) => what.kind === 'rows' || what.kind === 'beat');
  assert.deepEqual(
    landed,
    rows.map(({ event }) => eventText(event.file, event.bytes)),
    'Events in <ds>',
  );
  checkFiltered(world, runs, start);
}

/** A run's `filtered`, with those of all before it, is the number of row events up to its end that the line does not read. */
function checkFiltered(
  { workload, source }: LineWorld,
  runs: ReturnType<typeof rawRuns>['runs'],
  start: number,
): void {
  const strange = workload.strangeEvents.map(event => workload.store.events.indexOf(event));
  let filtered = 0;
  for (const { file, next, filtered: more } of runs) {
    filtered += more;
    const end = source.indexAt({ file, position: next });
    const passed = strange.filter(index => index >= start && index < end).length;
    assert.equal(filtered, passed, `Filtered events up to ${file}:${next}`);
  }
}

/** The appender's store counts what was published and parked, and knows the version and the last row of each table. */
async function checkStates(
  { driver }: LineWorld,
  { changes }: Observed,
  expected: ReadonlyMap<string, ExpectedTable>,
): Promise<void> {
  const states = await driver.store(tablesStore, 'appender');
  for (const [name, { parked }] of expected) {
    const parts = [...changes].filter(([key]) => key.startsWith(`${name}/`)).map(([, all]) => all);
    const published = parts.flat();
    const count = (op: string): number => published.filter(change => change.op === op).length;
    const ends = parts.map(part => part.filter(({ op }) => op === 'end').length);
    const rowIds = published.filter(({ uid }) => uid !== null).map(({ id }) => id);
    const lastId = rowIds.reduce<bigint | null>((a, b) => (a === null || b > a ? b : a), null);
    const { version, inserts, updates, deletes, lastUmsId, parked: why } = states.get(name) ?? NEW_TABLE;
    assert.deepEqual(
      { version, inserts, updates, deletes, lastUmsId, parked: why?.events ?? 0 },
      {
        version: Math.max(0, ...ends),
        inserts: count('i'),
        updates: count('u'),
        deletes: count('d'),
        lastUmsId: String(lastId ?? ''),
        parked: parked.length,
      },
      `State of ${name}`,
    );
  }
}

/** Every task has read and committed all of its input. */
async function checkAllCommitted({ driver, scenario }: LineWorld): Promise<void> {
  const { ds, schemas } = scenario.line;
  for (const topic of await driver.log.topics()) {
    const group =
      topic.name === ds
        ? 'dispatcher'
        : Object.keys(schemas).some(schema => topic.name === `${ds}.${schema}`)
          ? 'appender'
          : null;
    if (group === null) continue;
    for (const [partition, { latest }] of topic.extents.entries()) {
      const place = { topic: topic.name, partition };
      const [committed] = await driver.log.committed(groupNameOf('test', group), [place]);
      assert.equal(committed?.offset ?? 0n, latest, `Committed offset of ${topic.name}/${partition}`);
    }
  }
}

function textOf(changes: readonly Change[] = []): string[] {
  return changes.map(({ text }) => text);
}

function textsOf(changes: Observed['changes']): Readonly<Record<string, readonly string[]>> {
  const entries = [...changes].map(([name, all]) => [name, textOf(all)] as const);
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}
