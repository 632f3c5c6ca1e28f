import { Buffer } from 'node:buffer';
import type { Log } from '../ports/log.ts';
import type { Erased } from '../topology/graph.ts';
import { noBytes } from '../topology/serdes.ts';
import type { Rec, Topic } from '../topology/types.ts';
import { SEQ_HEADER } from './outputs.ts';
import { readAll } from './restore.ts';

const NOTHING: ReadonlyMap<string, Erased> = new Map();

/**
 * What an external source keeps, as it was when the tail was written. Of several records of a key the one with the highest seq counts, and none that is behind the tail's: a
 * log without transactions may have it, while what it belongs to was never written. Errors: those of the log, and of the topic's serdes.
 */
export async function keptAt(
  log: Log,
  topic: Topic<string, Erased> | undefined,
  tail: Pick<Rec<Erased, Erased>, 'seq'> | null,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, Erased>> {
  if (topic === undefined || tail === null) return NOTHING;
  const newest = new Map<string, { readonly seq: Uint8Array; readonly value: Uint8Array | null }>();
  await readAll(log, { topic: topic.name, partition: 0 }, signal, ({ key, value, headers }) => {
    const seq = headers[SEQ_HEADER] ?? noBytes;
    // It has one ordinal more than the record that it belongs to.
    if (Buffer.compare(seq.subarray(0, tail.seq.length), tail.seq) > 0) return;
    const name = topic.key.decode(key ?? noBytes);
    const known = newest.get(name);
    if (known === undefined || Buffer.compare(seq, known.seq) >= 0) newest.set(name, { seq, value });
  });
  const kept = new Map<string, Erased>();
  for (const [name, { value }] of newest) {
    if (value !== null) kept.set(name, topic.value.decode(value));
  }
  return kept;
}
