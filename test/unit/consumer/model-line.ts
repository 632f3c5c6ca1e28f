import { Buffer } from 'node:buffer';
import { unreachable } from '../../../src/core/assert.ts';
import type { UmsField, UmsMessage, UmsOperation, UmsType, UmsValue } from '../../../src/ums/types.ts';

/** A table in a database, and the messages that a line would make of its changes. */
export type ModelRow = Readonly<Record<string, UmsValue>>;

/** What a test does to the table. Rows are named by their place among the present ones, so that every command means something. */
export type Command =
  | { readonly kind: 'insert'; readonly id: number; readonly text: string | null }
  | { readonly kind: 'update'; readonly pick: number; readonly text: string | null }
  | { readonly kind: 'rekey'; readonly pick: number; readonly id: number }
  | { readonly kind: 'delete'; readonly pick: number }
  | { readonly kind: 'truncate' }
  | { readonly kind: 'toggle-column' }
  | { readonly kind: 'reorder' }
  | { readonly kind: 'cut' };

export interface ModelOptions {
  /** False: the table has no primary key, and rows may be equal. */
  readonly keyed: boolean;
  /** Whether `b` rows are written for every update. */
  readonly beforeImage: boolean;
}

const systemFields: readonly UmsField[] = [
  field('ums_id_', 'long', false),
  field('ums_ts_', 'datetime', false),
  field('ums_op_', 'string', false),
  field('ums_uid_', 'string', false),
];

/** Makes a field that no mask has touched. */
export function field(name: string, type: UmsType, nullable = true): UmsField {
  return { name, type, nullable, encoded: false };
}

/** `ums_uid_` as ums-schema/README.md defines it. */
export function uidOf(epoch: number, id: bigint, op: UmsOperation): string {
  return `${epoch}${String(id).padStart(19, '0')}${op === 'b' ? 0 : 1}`;
}

/** A message as the bytes of a record value. */
export function bytesOf(message: UmsMessage): Buffer {
  return Buffer.from(JSON.stringify(message));
}

/** Runs commands against a model table; gives the table's rows and the messages, in order. */
export function runModel(
  commands: readonly Command[],
  options: ModelOptions,
): { readonly rows: readonly ModelRow[]; readonly messages: readonly UmsMessage[] } {
  const line = new ModelLine(options);
  for (const command of commands) line.run(command);
  line.finish();
  return line;
}

class ModelLine {
  readonly messages: UmsMessage[] = [];
  rows: ModelRow[] = [];
  readonly #options: ModelOptions;
  #columns: readonly UmsField[] = [field('id', 'int', false), field('text', 'string')];
  #version = 0;
  #position = 4n;
  #open: { tuple: UmsValue[] }[] = [];
  #altered = false;

  constructor(options: ModelOptions) {
    this.#options = options;
  }

  run(command: Command): void {
    const row = 'pick' in command ? this.rows[command.pick % Math.max(this.rows.length, 1)] : undefined;
    switch (command.kind) {
      case 'insert':
        this.#insert(command.id, command.text);
        break;
      case 'update':
        if (row !== undefined) this.#replace(row, { ...row, text: command.text });
        break;
      case 'rekey':
        if (row !== undefined && this.#isFree(command.id)) this.#replace(row, { ...row, id: command.id });
        break;
      case 'delete':
        if (row !== undefined) this.#delete(row);
        break;
      case 'truncate':
        this.rows = [];
        this.#end('truncate');
        break;
      case 'toggle-column':
        this.#toggleColumn();
        break;
      case 'reorder':
        this.#cut();
        this.#columns = [...this.#columns].reverse();
        break;
      case 'cut':
        this.#cut();
        break;
      default:
        unreachable(command);
    }
  }

  /** Writes out what is open; a change of columns becomes visible by one more row. */
  finish(): void {
    if (this.#altered) this.#insert(99, 'last');
    this.#cut();
  }

  #isFree(id: number): boolean {
    return !this.#options.keyed || this.rows.every(row => row['id'] !== id);
  }

  #insert(id: number, text: string | null): void {
    if (!this.#isFree(id)) return;
    const row = Object.fromEntries(this.#columns.map(({ name }) => [name, name === 'id' ? id : text]));
    this.rows.push(row);
    this.#write(this.#nextId(), 'i', row);
  }

  #replace(before: ModelRow, after: ModelRow): void {
    const id = this.#nextId();
    const { keyed, beforeImage } = this.#options;
    if (beforeImage || !keyed || before['id'] !== after['id']) this.#write(id, 'b', before);
    this.#write(id, 'u', after);
    this.rows = this.rows.map(row => (row === before ? after : row));
  }

  #delete(row: ModelRow): void {
    this.rows = this.rows.filter(other => other !== row);
    this.#write(this.#nextId(), 'd', row);
  }

  #toggleColumn(): void {
    // Dropped and added again with no row between, a column looks untouched from outside.
    if (this.#altered) return;
    this.#cut();
    this.#altered = true;
    const kept = this.#columns.filter(({ name }) => name !== 'extra');
    this.#columns = kept.length < this.#columns.length ? kept : [...kept, field('extra', 'string')];
    const names = this.#columns.map(({ name }) => name);
    this.rows = this.rows.map(row => Object.fromEntries(names.map(name => [name, row[name] ?? null])));
  }

  #nextId(): bigint {
    this.#position += 40n;
    return 10_000_000_000_000n + this.#position;
  }

  // A line learns of new columns from the first row that has them.
  #write(id: bigint, op: UmsOperation, row: ModelRow): void {
    if (this.#altered) this.#end('schema');
    this.#altered = false;
    const values = this.#columns.map(({ name }) => row[name] ?? null);
    this.#open.push({ tuple: [String(id), '2026-01-01 00:00:00.000', op, uidOf(1, id, op), ...values] });
  }

  #cut(): void {
    if (this.#open.length === 0) return;
    const fields = [...systemFields, ...this.#columns];
    this.messages.push({
      protocol: { type: 'data_increment_data', version: '1.3' },
      schema: { ...this.#schema(), fields, ...(this.#options.keyed ? { primaryKey: ['id'] } : {}) },
      payload: this.#open,
    });
    this.#open = [];
  }

  #end(reason: 'truncate' | 'schema'): void {
    this.#cut();
    this.messages.push({
      protocol: { type: 'data_increment_termination', version: '1.3' },
      schema: { ...this.#schema(), fields: [field('ums_ts_', 'datetime', false)], reason },
      payload: [{ tuple: ['2026-01-01 00:00:00.000'] }],
    });
    this.#version += 1;
  }

  #schema(): { namespace: string; batchId: number } {
    return { namespace: `mysql.shop.store.orders.${this.#version}.0.0`, batchId: 0 };
  }
}
