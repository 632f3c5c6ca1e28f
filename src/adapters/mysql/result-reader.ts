import { Buffer } from 'node:buffer';
import type { ImageBuffer, WriteImage } from '../../binlog/result/compile-images.ts';
import { PacketReader } from '../../binlog/result/packet-reader.ts';
import { assert } from '../../core/assert.ts';
import { UmbusError } from '../../core/errors.ts';
import { connectTapped } from './connect.ts';
import type { MysqlLogin } from './options.ts';
import { sourceError } from './source-error.ts';
import { Wire } from './wire.ts';

const COM_STMT_PREPARE = 0x16;
const COM_STMT_EXECUTE = 0x17;
const COM_STMT_CLOSE = 0x19;
const OK = 0x00;
const TWO_BYTES = 0xfc;
const EOF = 0xfe;
const ERR = 0xff;
/** Of the answer to COM_STMT_PREPARE, at least. */
const PREPARED_BYTES = 12;
/** An EOF packet is shorter than this. */
const EOF_LIMIT_BYTES = 9;
/** Less than of a dump: many read at a time, and the server can wait. */
const ROWS_BUFFERED_BYTES = 1024 * 1024;
/** How long a server may be silent within a result, in milliseconds: it may sort or wait for locks before the first row. */
const IDLE_MS = 3_600_000;

/**
 * How a session reads: times in UTC, text in the bytes of its column, no mode that changes what is read, all rows, and of one moment, whatever the server's defaults are.
 */
export const PULL_SESSION_SQL =
  "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ; SET SESSION time_zone = '+00:00', SESSION sql_mode = '', SESSION character_set_results = NULL, SESSION sql_select_limit = 18446744073709551615";

/**
 * A connection that reads one result at a time, row after row, without values of JavaScript: the binary protocol over the driver's socket, once that has logged in. Not read, it makes the server wait.
 * Disposing it cuts the connection.
 */
export class ResultReader implements AsyncDisposable {
  readonly #login: MysqlLogin;
  readonly #wire: Wire;
  readonly #packets = new PacketReader();
  /** The statement whose rows are read; null between results. */
  #statement: number | null = null;

  private constructor(login: MysqlLogin, wire: Wire) {
    this.#login = login;
    this.#wire = wire;
  }

  /** Connects. Errors: UMBUS_SOURCE_*; the signal's reason when it aborts while connecting. */
  static async open(login: MysqlLogin, signal?: AbortSignal): Promise<ResultReader> {
    const session = await connectTapped(login, signal);
    try {
      await session.query(PULL_SESSION_SQL);
    } catch (error) {
      session.destroy();
      throw error;
    }
    const { maxBufferedBytes = ROWS_BUFFERED_BYTES } = login;
    return new ResultReader(
      login,
      new Wire(session.socket, { maxBufferedBytes, idleMs: IDLE_MS, tap: session.tap }),
    );
  }

  /** Runs a SELECT; its rows wait to be read. Resolves when the server has begun to answer, so what it reads is as of a moment before. Errors: UMBUS_SOURCE_*. */
  async select(sql: string): Promise<void> {
    assert(this.#statement === null, 'A result is still being read.');
    this.#command(Buffer.concat([Buffer.from([COM_STMT_PREPARE]), Buffer.from(sql, 'utf8')]));
    await this.#packet();
    const { bytes, start, end } = this.#packets;
    if (bytes[start] !== OK || end - start < PREPARED_BYTES) throw this.#broken();
    const statement = bytes.readUInt32LE(start + 1);
    const columns = bytes.readUInt16LE(start + 5);
    const parameters = bytes.readUInt16LE(start + 7);
    if (parameters > 0 || columns === 0) throw this.#broken();
    await this.#definitions(columns);
    const execute = Buffer.alloc(10);
    execute[0] = COM_STMT_EXECUTE;
    execute.writeUInt32LE(statement, 1);
    execute.writeUInt32LE(1, 6);
    this.#command(execute);
    await this.#packet();
    if (this.#columnCount() !== columns) throw this.#broken();
    await this.#definitions(columns);
    this.#statement = statement;
  }

  /** Adds rows to `out` until it holds `maxBytes`, or `maxRows` rows, or the result has ended; false in the last case. A row is added whole. Errors: UMBUS_SOURCE_*. */
  async read(out: ImageBuffer, write: WriteImage, maxBytes: number, maxRows: number): Promise<boolean> {
    assert(this.#statement !== null, 'No result is being read.');
    const packets = this.#packets;
    while (out.length < maxBytes && out.rows < maxRows) {
      if (!packets.next()) {
        await this.#more();
        continue;
      }
      const { bytes, view, start, end } = packets;
      const first = bytes[start];
      if (first === OK) write(bytes, view, start, end, out);
      else if (first === EOF && end - start < EOF_LIMIT_BYTES) {
        this.#close();
        return false;
      } else throw first === ERR ? this.#failed() : this.#broken();
    }
    return true;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#wire[Symbol.asyncDispose]();
  }

  #close(): void {
    const close = Buffer.alloc(5);
    close[0] = COM_STMT_CLOSE;
    close.writeUInt32LE(this.#statement ?? 0, 1);
    // It has no answer.
    this.#command(close);
    this.#statement = null;
  }

  #command(body: Buffer): void {
    const head = Buffer.alloc(4);
    head.writeUIntLE(body.length, 0, 3);
    this.#wire.write(Buffer.concat([head, body]));
  }

  /** The number that a result begins with; -1 for what is none. */
  #columnCount(): number {
    const { bytes, start, end } = this.#packets;
    if (end - start === 1) return bytes[start] ?? -1;
    return end - start === 3 && bytes[start] === TWO_BYTES ? bytes.readUInt16LE(start + 1) : -1;
  }

  /** Skips column definitions and the EOF behind them. */
  async #definitions(columns: number): Promise<void> {
    for (let i = 0; i <= columns; i++) await this.#packet();
  }

  /** Awaits a packet that is no error. */
  async #packet(): Promise<void> {
    while (!this.#packets.next()) await this.#more();
    if (this.#packets.bytes[this.#packets.start] === ERR) throw this.#failed();
  }

  async #more(): Promise<void> {
    const chunk = await this.#wire.read();
    if (chunk !== null) {
      this.#packets.push(chunk);
      return;
    }
    const { host, port } = this.#login;
    throw new UmbusError(
      'UMBUS_SOURCE_DISCONNECTED',
      `${host}:${port} cut the connection while a table was read.`,
      {
        details: { host, port },
      },
    );
  }

  /** ERR packet: 0xff, error number u16, `#` and SQL state, message. */
  #failed(): UmbusError {
    const { bytes, start, end } = this.#packets;
    if (end - start < 3) return this.#broken();
    const errno = bytes.readUInt16LE(start + 1);
    const message = bytes.toString('utf8', start + (bytes[start + 3] === 0x23 ? 9 : 3), end);
    return sourceError(Object.assign(new Error(message), { errno }), this.#login, 'reading a table');
  }

  #broken(): UmbusError {
    return new UmbusError('UMBUS_SOURCE_PROTOCOL', 'The server answered a SELECT with what is no result.');
  }
}
