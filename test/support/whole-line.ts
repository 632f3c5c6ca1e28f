import assert from 'node:assert/strict';
import { inspectRaw, inspectResult } from './published.ts';
import { countRows, type RowCount } from './row-count.ts';
import { PROBE_SCHEMA, type RunningLine } from './running-line.ts';

/**
 * Waits until a line has drained, then asserts that its result topics rebuild the server's tables, and that no rule of the format is broken: order, ids,
 * keys, schema.
 */
export async function assertWhole(line: RunningLine, deadlineMs?: number): Promise<void> {
  await line.drained(deadlineMs);
  const comparison = await line.compare();
  assert.deepEqual(comparison.examples, []);
  assert.equal(comparison.differences, 0);
  const { ds, schemas } = line.line;
  for (const schema of Object.keys(schemas)) {
    if (schema === PROBE_SCHEMA) continue;
    const placedByKey = schemas[schema]?.result.placeBy === 'primary-key';
    const { violations } = await inspectResult(line.log, `${ds}.${schema}.result`, placedByKey);
    assert.deepEqual(violations, []);
  }
  assert.deepEqual((await inspectRaw(line.log, ds)).violations, []);
}

/** What {@link assertWhole} asserts, and that every row of the source, to which rows were only added, came once. */
export async function assertEachRowOnce(line: RunningLine, schema: string): Promise<void> {
  await assertWhole(line);
  const { counts } = await inspectResult(line.log, `${line.line.ds}.${schema}.result`);
  const published = Object.values(counts).reduce((sum, table) => sum + (table['i'] ?? 0), 0);
  assert.equal(published, (await line.compare()).rows);
}

/**
 * What {@link assertWhole} asserts of a line on Kafka that was disturbed: its result topics rebuild the server's tables, and a reader that is none of ours finds each table in
 * order once repeats are left out. With exactly-once it finds no repeat at all. Gives what that reader counted, by schema.
 */
export async function assertWholeOnKafka(
  line: RunningLine,
  deadlineMs?: number,
): Promise<Readonly<Record<string, RowCount>>> {
  await line.drained(deadlineMs);
  const { ds, schemas, guarantee, log } = line.line;
  assert.equal(log.kind, 'kafka');
  const comparison = await line.compare();
  assert.deepEqual(comparison.examples, []);
  assert.equal(comparison.differences, 0);
  const counted: Record<string, RowCount> = {};
  for (const schema of Object.keys(schemas)) {
    const count = await countRows(log.kind === 'kafka' ? log.brokers : [], `${ds}.${schema}.result`);
    assert.deepEqual(count.disorder, []);
    if (guarantee === 'exactly-once') assert.deepEqual(count.repeated, []);
    counted[schema] = count;
  }
  return counted;
}
