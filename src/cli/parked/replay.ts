import { Buffer } from 'node:buffer';
import { avroOptions } from '../../../topologies/results.ts';
import { noticeTopic } from '../../../topologies/topics.ts';
import type { LineSchemas } from '../../adapters/registry/line-schemas.ts';
import { decodeRawRun, type RawRun } from '../../change/raw-run.ts';
import type { Line } from '../../config/line.ts';
import { logicalName } from '../../config/logical-tables.ts';
import { maskRules } from '../../config/mask-rules.ts';
import { resultPlacing } from '../../config/result-placing.ts';
import { fileMasks } from '../../config/shared-masks.ts';
import { beforeImage, subscription } from '../../config/subscription.ts';
import { assert } from '../../core/assert.ts';
import { isUmbusError, UmbusError } from '../../core/errors.ts';
import { type MaskRules, NO_FUNCTIONS } from '../../masking/mask-spec.ts';
import type { Log, LogRecord, OutgoingRecord, Writer } from '../../ports/log.ts';
import { LANE_HEADER, SEQ_HEADER, seqWith } from '../../runtime/outputs.ts';
import { specOf } from '../../runtime/topic-spec.ts';
import {
  type AppendOptions,
  type AppendOutput,
  replayParked,
  schemasStore,
  tablesStore,
} from '../../stages/append.ts';
import { type GivenColumns, withGiven } from '../../stages/append-given.ts';
import type { MasksInForce } from '../masks/masks-in-force.ts';
import { schemasTopic, tablesTopic } from '../status/table-store.ts';
import { type DeadRecord, deadRecordAt, deadTopicOf } from './dead-records.ts';
import { letterRun } from './letter-run.ts';
import { type ParkedTable, parkedTables, replayWriterOf, storedRecord } from './parked-tables.ts';
import { type LetterPlace, waitingLettersOf } from './waiting-letters.ts';

/** Messages are written in pieces of about this size, so that memory does not grow with what was parked. */
const PIECE_BYTES = 32 * 1024 * 1024;

/** What became of a table's dead letters. */
export interface ReplayReport {
  readonly table: string;
  readonly letters: number;
  readonly messages: number;
  /** Null when all were replayed; otherwise nothing was written, and this is why. */
  readonly problem: { readonly code: string; readonly message: string } | null;
}

/** What a replay needs beside the log and the line. */
export interface ReplayAround {
  /** Of a line with a registry. */
  readonly registered?: LineSchemas | null;
  /** What masks the rows; default: the masks of the line file, without functions. */
  readonly masks?: Pick<MasksInForce, 'masks' | 'functions'>;
  /** Columns for rows of the one table that is replayed whose columns are not known, beside those that its state has. */
  readonly given?: GivenColumns;
}

/**
 * Replays the dead letters of parked tables, all or one: decodes them again, first to see that every one can be, then to write the messages to the result topics with
 * the ids they would have had. The last piece and the state that ends the parking are written together; a replay that is cut off before leaves the table
 * parked, and doing it again gives the same messages. The caller owns the log and no appender runs. Errors: UMBUS_USAGE for a table that is not parked.
 */
export async function replayTables(
  log: Log,
  line: Line,
  only: string | null,
  signal: AbortSignal,
  around: ReplayAround = {},
): Promise<readonly ReplayReport[]> {
  const changelog = tablesTopic(await log.topics(), line.ds);
  const schemas = schemasTopic(await log.topics(), line.ds);
  const parked = await parkedTables(log, changelog, schemas, signal);
  const chosen = parked.filter(({ name }) => only === null || name === only);
  if (only !== null && chosen.length === 0) {
    const names = parked.map(({ name }) => name).join(', ') || 'none';
    throw new UmbusError('UMBUS_USAGE', `The table ${only} is not parked. Parked tables: ${names}.`);
  }
  if (changelog === null || chosen.length === 0) return [];
  const reports: ReplayReport[] = [];
  const { keys } = line.masking;
  const { masks, functions } = around.masks ?? { masks: fileMasks(line), functions: NO_FUNCTIONS };
  const rules = maskRules(masks.masks, keys, functions, masks.revision, logicalName(line));
  // An appender from before there were notices has not made their topic.
  await log.ensureTopics([specOf(noticeTopic(line))]);
  await using writer = await log.openWriter(replayWriterOf(line.ds));
  for (const table of chosen) {
    if (signal.aborted) break;
    const work = {
      log,
      line,
      changelog: changelog.name,
      schemas: schemas?.name ?? null,
      writer,
      signal,
      registered: around.registered ?? null,
      rules,
    };
    const { given } = around;
    const state =
      given === undefined || table.name !== only
        ? table.state
        : { ...table.state, given: withGiven(table.state.given, given) };
    reports.push(await replayTable(work, { ...table, state }));
  }
  return reports;
}

interface ReplayWork {
  readonly log: Log;
  readonly line: Line;
  readonly changelog: string;
  /** Of the store `schemas`; null when there is none yet. */
  readonly schemas: string | null;
  readonly writer: Writer;
  readonly signal: AbortSignal;
  readonly registered: LineSchemas | null;
  readonly rules: MaskRules;
}

async function replayTable(work: ReplayWork, table: ParkedTable): Promise<ReplayReport> {
  const { log, line, signal } = work;
  const { parked } = table.state;
  assert(parked !== null, `The table ${table.name} is not parked.`);
  const letters = await waitingLettersOf(log, line.ds, table.name, parked.events, signal);
  const report = { table: table.name, letters: letters.length };
  const seen = await decodeLetters(work, table, letters, async () => {});
  if (seen.problem !== null || signal.aborted) return { ...report, messages: 0, problem: seen.problem };
  const sink = new PieceWriter(work, table);
  const done = await decodeLetters(work, table, letters, (record, outputs) => sink.add(record, outputs));
  // Decoding depends on the letters and the state alone, so the second pass ends as the first did, or was stopped.
  if (!signal.aborted) await sink.finish(done);
  return { ...report, messages: sink.messages, problem: null };
}

/** What the stores have of a table. */
type Decoded = Pick<ParkedTable, 'state' | 'columns'>;

async function decodeLetters(
  work: ReplayWork,
  table: ParkedTable,
  letters: readonly LetterPlace[],
  each: (record: LogRecord, outputs: readonly AppendOutput[]) => Promise<void>,
): Promise<Decoded & { readonly problem: ReplayReport['problem'] }> {
  const { log, line, signal } = work;
  const options = appendOptions(work);
  let now: Decoded = table;
  for (const { partition, offset } of letters) {
    if (signal.aborted) break;
    const dead = await deadRecordAt(log, line.ds, partition, offset, signal);
    const { record } = dead;
    const run = await readLetter(work, dead);
    if ('problem' in run) return { ...now, problem: run.problem };
    const replayed = replayParked(options, tableOf(run, table.name), now, [run], table.partition);
    const again = replayed.state.parked;
    if (again !== null) return { ...now, problem: { code: again.code, message: again.message } };
    const outputs = await inFormat(work, replayed.outputs);
    if ('problem' in outputs) return { ...now, problem: outputs.problem };
    now = replayed;
    await each(record, outputs.outputs);
  }
  return { ...now, state: { ...now.state, parked: null }, problem: null };
}

/** What a letter holds or refers to; a record that is gone is the table's problem, not that of the others. */
async function readLetter(
  { log, signal, registered }: ReplayWork,
  dead: DeadRecord,
): Promise<RawRun | { readonly problem: NonNullable<ReplayReport['problem']> }> {
  try {
    return await letterRun(log, dead, registered?.rawRuns.decode ?? decodeRawRun, signal);
  } catch (error) {
    if (!isUmbusError(error, 'UMBUS_PARKED_GONE')) throw error;
    return { problem: { code: error.code, message: error.message } };
  }
}

/** The messages as their result topic has them: JSON, or records in Avro. */
async function inFormat(
  { line, registered }: ReplayWork,
  outputs: readonly AppendOutput[],
): Promise<
  { readonly outputs: readonly AppendOutput[] } | { readonly problem: NonNullable<ReplayReport['problem']> }
> {
  const written: AppendOutput[] = [];
  for (const output of outputs) {
    if (output.notice === true || line.schemas[output.schema]?.result.format !== 'avro') written.push(output);
    else {
      assert(registered !== null, `The topic ${output.topic} is in Avro, and no registry is open.`);
      try {
        written.push(...(await registered.rows.encode(output)));
      } catch (error) {
        if (!isUmbusError(error, 'UMBUS_REGISTRY_INCOMPATIBLE')) throw error;
        return { problem: { code: error.code, message: error.message } };
      }
    }
  }
  return { outputs: written };
}

/** Schema and table of a key `schema.table`; the run says where the one ends, since both may hold dots. */
function tableOf(run: RawRun, key: string): { readonly schema: string; readonly table: string } {
  const known = run.tables.find(({ schema, table }) => `${schema}.${table}` === key);
  const dot = key.indexOf('.');
  return known ?? { schema: key.slice(0, dot), table: key.slice(dot + 1) };
}

/** Writes replayed messages in pieces, and the table's new state with the last. */
class PieceWriter {
  readonly #work: ReplayWork;
  readonly #table: ParkedTable;
  readonly #lane: Buffer;
  #records: OutgoingRecord[] = [];
  #bytes = 0;
  messages = 0;

  constructor(work: ReplayWork, table: ParkedTable) {
    this.#work = work;
    this.#table = table;
    // A lane of its own for each table: their seqs are not in one order, and consumers drop what is not.
    this.#lane = Buffer.from(
      `umbus.${work.line.ds}.appender.replay.${table.name}:${deadTopicOf(work.line.ds)}/${table.partition}`,
    );
  }

  async add(letter: LogRecord, outputs: readonly AppendOutput[]): Promise<void> {
    const inputSeq = letter.headers[`in.${SEQ_HEADER}`];
    for (const [ordinal, output] of outputs.entries()) {
      this.messages++;
      this.#bytes += output.value.length;
      this.#records.push({
        topic: output.topic,
        partition: output.partition,
        key: output.key,
        value: output.value,
        timestampMs: letter.timestampMs,
        headers:
          inputSeq === undefined
            ? {}
            : { [SEQ_HEADER]: seqWith(inputSeq, ordinal), [LANE_HEADER]: this.#lane },
      });
    }
    if (this.#bytes < PIECE_BYTES) return;
    await this.#work.writer.append(this.#records);
    this.#records = [];
    this.#bytes = 0;
  }

  async finish({ state, columns }: Decoded): Promise<void> {
    const { changelog, schemas } = this.#work;
    const { name } = this.#table;
    const changed = [
      storedRecord(this.#table, changelog, tablesStore.key.encode(name), tablesStore.value.encode(state)),
    ];
    if (schemas !== null && columns !== this.#table.columns) {
      const value = columns === null ? null : schemasStore.value.encode(columns);
      changed.push(storedRecord(this.#table, schemas, schemasStore.key.encode(name), value));
    }
    await this.#work.writer.append([...this.#records, ...changed]);
  }
}

/** As the appender has them, so that what it would keep back stays parked. */
function appendOptions({ line, registered, rules }: ReplayWork): AppendOptions {
  const { maxRows, maxBytes, timeZone } = line.appender;
  return {
    ds: line.ds,
    maxRows,
    maxBytes,
    timeZone,
    subscribed: subscription(line),
    logical: logicalName(line),
    beforeImage: beforeImage(line),
    result: resultPlacing(line),
    masks: () => rules,
    ...avroOptions({ ...line, registered }, maxRows),
  };
}
