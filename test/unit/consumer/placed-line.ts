import { murmur2 } from '../../../src/core/murmur2.ts';
import type { UmsMessage, UmsOperation, UmsValue } from '../../../src/ums/types.ts';
import { uidOf } from './model-line.ts';

/** How a version's rows are placed: by these columns; null: all in partition 0. */
export type Placing = readonly string[] | null;

type Tuple = readonly UmsValue[];

/**
 * The messages of a model table as they stand on a topic whose rows are placed by key: one list a partition. `placingOf`: of each version. An update whose placing
 * columns change becomes a delete and an insert, and terminations are on every partition.
 */
export function placed(
  messages: readonly UmsMessage[],
  partitions: number,
  placingOf: (version: number) => Placing,
): readonly (readonly UmsMessage[])[] {
  const topic = Array.from({ length: partitions }, (): UmsMessage[] => []);
  for (const [index, message] of messages.entries()) {
    if (message.protocol.type === 'data_increment_termination') {
      const next = messages.slice(index + 1).find(({ protocol }) => protocol.type === 'data_increment_data');
      for (const partition of topic) partition.push(withNext(message, next));
      continue;
    }
    const placing = placingOf(versionOf(message));
    const parts = Array.from({ length: partitions }, (): { tuple: Tuple }[] => []);
    const columns = message.schema.fields.map(({ name }) => name);
    const put = (tuple: Tuple): void => {
      const values = (placing ?? []).map(name => tuple[columns.indexOf(name)] ?? null);
      parts[placing === null ? 0 : placeOf(values, partitions)]?.push({ tuple });
    };
    for (const tuple of splitKeyChanges(message, placing, columns)) put(tuple);
    for (const [partition, payload] of parts.entries()) {
      if (payload.length > 0) topic[partition]?.push({ ...message, payload });
    }
  }
  return topic;
}

/** The partition of these values, worked out from ums-schema/README.md alone. */
export function placeOf(values: readonly UmsValue[], partitions: number): number {
  const text = values.map(value => (value === null ? '\u0000' : String(value))).join('\u001f');
  return (murmur2(new TextEncoder().encode(text)) & 0x7fffffff) % partitions;
}

function versionOf({ schema }: UmsMessage): number {
  return Number(schema.namespace.split('.')[4]);
}

function withNext(end: UmsMessage, next: UmsMessage | undefined): UmsMessage {
  if (end.schema.reason !== 'schema' || next === undefined) return end;
  const { fields, primaryKey } = next.schema;
  const key = primaryKey === undefined ? {} : { primaryKey };
  return { ...end, schema: { ...end.schema, next: { fields: fields.slice(4), ...key } } };
}

function splitKeyChanges(message: UmsMessage, placing: Placing, columns: readonly string[]): Tuple[] {
  const tuples = message.payload.map(({ tuple }) => tuple);
  const textOf = (tuple: Tuple): string =>
    JSON.stringify((placing ?? []).map(name => tuple[columns.indexOf(name)]));
  return tuples.map((tuple, index) => {
    const before = tuples[index - 1];
    const after = tuples[index + 1];
    if (tuple[2] === 'b' && after !== undefined && textOf(tuple) !== textOf(after)) return turned(tuple, 'd');
    if (tuple[2] === 'u' && before?.[2] === 'b' && before[0] === tuple[0] && textOf(tuple) !== textOf(before))
      return turned(tuple, 'i');
    return tuple;
  });
}

/** The delete has the id before the insert's. */
function turned([idText, ts, , , ...values]: Tuple, op: UmsOperation): Tuple {
  const id = BigInt(String(idText)) - (op === 'd' ? 1n : 0n);
  return [String(id), ts ?? null, op, uidOf(1, id, op), ...values];
}
