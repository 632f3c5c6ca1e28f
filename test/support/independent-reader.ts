import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { ensureKcat } from './servers/kcat.ts';

/** A record as kcat prints it. */
export interface IndependentRecord {
  readonly partition: number;
  readonly offset: number;
  readonly value: string;
}

/** A row of a UMS message, taken apart here without the consumer of umbus. */
export interface IndependentRow {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly table: string;
  /** `i`, `u`, `b` or `d`. */
  readonly op: string;
  readonly uid: bigint;
  readonly values: Readonly<Record<string, unknown>>;
}

/**
 * All records of a topic from the first to the last, in order within each partition, as a `read_committed` reader that is none of ours sees them: kcat, which is
 * built on librdkafka. Values hold no line ends. Fails when kcat does.
 */
export async function* independentRecords(
  bootstrap: readonly string[],
  topic: string,
): AsyncGenerator<IndependentRecord> {
  const kcat = await ensureKcat(line => console.error(line));
  const settings = ['isolation.level=read_committed', 'check.crcs=true', 'socket.timeout.ms=30000'];
  const child = spawn(
    kcat,
    [
      ...['-C', '-q', '-e', '-o', 'beginning', '-b', bootstrap.join(','), '-t', topic],
      ...settings.flatMap(setting => ['-X', setting]),
      ...['-f', '%p %o %s\n'],
    ],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  let messages = '';
  child.stderr.setEncoding('utf8').on('data', text => {
    messages += text;
  });
  const closed = once(child, 'close');
  try {
    for await (const line of createInterface({ input: child.stdout, crlfDelay: Number.POSITIVE_INFINITY })) {
      const [, partition, offset, value] = /^(\d+) (\d+) (.*)$/s.exec(line) ?? [];
      if (value === undefined) throw new Error(`kcat printed a line of another form: ${line.slice(0, 200)}`);
      yield { partition: Number(partition), offset: Number(offset), value };
    }
    const [code] = await closed;
    if (code !== 0) throw new Error(`kcat ended with ${String(code)}: ${messages}`);
  } finally {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
  }
}

interface WrittenMessage {
  readonly protocol: { readonly type: string };
  readonly schema: {
    readonly namespace: string;
    readonly fields: readonly { readonly name: string }[];
  };
  readonly payload: readonly { readonly tuple: readonly unknown[] }[];
}

/** All rows of a result topic, as {@link independentRecords} has them. */
export async function* independentRows(
  bootstrap: readonly string[],
  topic: string,
): AsyncGenerator<IndependentRow> {
  for await (const { partition, offset, value } of independentRecords(bootstrap, topic)) {
    const message: WrittenMessage = JSON.parse(value);
    if (message.protocol.type !== 'data_increment_data') continue;
    // <source>.<ds>.<schema>.<table>.<version>.0.0, where a table's name may hold dots.
    const table = message.schema.namespace.split('.').slice(3, -3).join('.');
    const names = message.schema.fields.map(({ name }) => name);
    for (const { tuple } of message.payload) {
      const values = Object.fromEntries(names.map((name, index) => [name, tuple[index]]));
      const op = String(values['ums_op_']);
      yield { topic, partition, offset, table, op, uid: BigInt(String(values['ums_uid_'])), values };
    }
  }
}
