import assert from 'node:assert/strict';
import { inspectRaw, inspectResult } from './published.ts';
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
    const { violations } = await inspectResult(line.log, `${ds}.${schema}.result`);
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
