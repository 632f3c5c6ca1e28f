import { Buffer } from 'node:buffer';
import { decodeRawRun } from '../../src/change/raw-run.ts';
import type { LogRecord, TopicPartition } from '../../src/ports/log.ts';
import { SEQ_HEADER } from '../../src/runtime/outputs.ts';
import { groupNameOf } from '../../src/runtime/start.ts';
import { recordsOf } from '../../src/testing/topic-view.ts';
import type { LineWorld } from './line-world.ts';

/** A topology, what it reads, and where what it makes of that must be found. */
interface Watched {
  readonly group: string;
  readonly input: TopicPartition;
  readonly outputs: readonly TopicPartition[];
  /** Records of the input that were looked at, and seqs of the inputs of each output record. */
  checked: bigint;
  readonly seen: number[];
  readonly made: Set<string>;
}

/** Watches that no committed offset is ever past a record whose outputs are not in the log. */
export class CommitWatch {
  readonly #world: LineWorld;
  readonly #watched: readonly Watched[];

  constructor(world: LineWorld) {
    this.#world = world;
    const { ds, schemas, topics } = world.scenario.line;
    const names = Object.keys(schemas).map(schema => `${ds}.${schema}`);
    const places = (topic: string, count: number): TopicPartition[] =>
      Array.from({ length: count }, (_, partition) => ({ topic, partition }));
    const all = (name: string): TopicPartition[] => places(name, topics.partitions);
    const watched = (
      topology: string,
      input: TopicPartition,
      outputs: readonly TopicPartition[],
    ): Watched => ({
      group: groupNameOf('test', topology),
      input,
      outputs,
      checked: 0n,
      seen: outputs.map(() => 0),
      made: new Set(),
    });
    const dead = { topic: `${ds}_dead`, partition: 0 };
    this.#watched = [
      watched('dispatcher', { topic: ds, partition: 0 }, names.flatMap(all)),
      ...Object.entries(schemas).flatMap(([schema, { result }]) => {
        const name = `${ds}.${schema}`;
        const results = places(`${name}.result`, result.partitions ?? topics.partitions);
        return all(name).map(input => watched('appender', input, [...results, dead]));
      }),
    ];
  }

  /** Looks at what was committed since the last call. Throws when an output is missing. */
  async check(): Promise<void> {
    for (const watched of this.#watched) await this.#check(watched);
  }

  async #check(watched: Watched): Promise<void> {
    const { group, input, made } = watched;
    if (this.#records(input).length <= Number(watched.checked)) return;
    const [committed] = await this.#world.driver.log.committed(group, [input]);
    const offset = committed?.offset ?? 0n;
    if (offset <= watched.checked) return;
    this.#readOutputs(watched);
    for (const record of this.#records(input)) {
      if (record.offset < watched.checked || record.offset >= offset) continue;
      if (mustGive(record) && !made.has(seqText(record))) {
        throw new Error(
          `${group} has committed offset ${offset} of ${input.topic}/${input.partition}, but what it makes of offset ${record.offset} is not in the log.`,
        );
      }
    }
    watched.checked = offset;
  }

  #readOutputs({ outputs, seen, made, input }: Watched): void {
    const inputSeqBytes = this.#records(input)[0]?.headers[SEQ_HEADER]?.length ?? 0;
    for (const [i, output] of outputs.entries()) {
      const records = this.#records(output);
      for (const { headers } of records.slice(seen[i])) {
        made.add(Buffer.from(headers[SEQ_HEADER] ?? []).toString('latin1', 0, inputSeqBytes));
      }
      seen[i] = records.length;
    }
  }

  #records({ topic, partition }: TopicPartition): readonly LogRecord[] {
    return recordsOf(this.#world.driver.log, topic, partition);
  }
}

function seqText({ headers }: LogRecord): string {
  return Buffer.from(headers[SEQ_HEADER] ?? []).toString('latin1');
}

/** Whether a run has rows of data: whatever becomes of them, published or parked, is a record. A signal may concern no table of the task. */
function mustGive({ value }: LogRecord): boolean {
  const run = decodeRawRun(value ?? new Uint8Array());
  return run.tables.some(({ schema, table }) => table !== '' && schema !== 'dbus');
}
