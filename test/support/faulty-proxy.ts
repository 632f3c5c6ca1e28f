import { Buffer } from 'node:buffer';
import { once } from 'node:events';
import { connect, createServer, type Socket, type Server as TcpServer } from 'node:net';
import { crc32 } from 'node:zlib';

const PACKET_HEADER_BYTES = 4;
const FULL_PACKET_BYTES = 0xffffff;
const EVENT_HEADER_BYTES = 19;
const CHECKSUM_BYTES = 4;
const COM_BINLOG_DUMP = 0x12;
const COM_BINLOG_DUMP_GTID = 0x1e;
const TABLE_MAP = 19;
const rowsTypes: ReadonlySet<number> = new Set([23, 24, 25, 30, 31, 32]);

/** An event on its way from the server to the line. */
export interface PassingEvent {
  /** From 1: which dump that went through the proxy. */
  readonly dump: number;
  readonly type: number;
  /** Whether it is one of the types that hold rows. */
  readonly isRows: boolean;
  /** `schema.table` of a TABLE_MAP and of row events; '' for others. */
  readonly table: string;
  /** The whole event, header and checksum included; a copy. */
  readonly bytes: Buffer;
}

/** What becomes of an event: it passes, other bytes go in its place in the same or a shorter packet, or its connection is cut or falls silent. */
export type Fate = 'pass' | 'cut' | 'stall' | { readonly instead: Buffer };

/** A TCP proxy before a real server, which can spoil what the server sends of its binlog. */
export interface FaultyProxy extends AsyncDisposable {
  readonly port: number;
  /** Dumps that were asked for through it. */
  readonly dumps: number;
  /** Decides on each event from now on; null lets all pass. Stalled connections stay so. */
  fate: ((event: PassingEvent) => Fate) | null;
}

/** The event with the byte at `index` changed: below 19 in its header. The checksum is left wrong. */
export function flipped(event: Buffer, index: number, mask = 0xff): Buffer {
  const bytes = Buffer.from(event);
  bytes[index] = (bytes[index] ?? 0) ^ mask;
  return bytes;
}

/** The event with the checksum that its bytes have. */
export function sealed(event: Buffer): Buffer {
  const bytes = Buffer.from(event);
  const end = bytes.length - CHECKSUM_BYTES;
  bytes.writeUInt32LE(crc32(bytes.subarray(0, end)), end);
  return bytes;
}

/** Starts a proxy on a free port of 127.0.0.1. Connections must be without TLS. */
export async function startFaultyProxy(target: { readonly port: number }): Promise<FaultyProxy> {
  const relay = new Relay(target.port);
  await relay.listen();
  return relay;
}

class Relay implements FaultyProxy {
  fate: FaultyProxy['fate'] = null;
  readonly #targetPort: number;
  readonly #server: TcpServer;
  readonly #sockets = new Set<Socket>();
  #dumps = 0;

  constructor(targetPort: number) {
    this.#targetPort = targetPort;
    this.#server = createServer(client => this.#serve(client));
  }

  get port(): number {
    const address = this.#server.address();
    return address === null || typeof address === 'string' ? 0 : address.port;
  }

  get dumps(): number {
    return this.#dumps;
  }

  async listen(): Promise<void> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #serve(client: Socket): void {
    const server = connect({ port: this.#targetPort, host: '127.0.0.1', noDelay: true });
    client.setNoDelay(true);
    let dump: DumpFilter | null = null;
    for (const [socket, other] of [
      [client, server],
      [server, client],
    ] as const) {
      this.#sockets.add(socket);
      socket.on('error', () => {});
      socket.once('close', () => {
        this.#sockets.delete(socket);
        other.destroy();
      });
    }
    client.on('data', (bytes: Buffer) => {
      if (dump === null && asksForDump(bytes)) {
        this.#dumps += 1;
        dump = new DumpFilter(this.#dumps, event => this.fate?.(event) ?? 'pass');
      }
      server.write(bytes);
    });
    server.on('data', (bytes: Buffer) => {
      if (dump === null) client.write(bytes);
      else dump.pass(bytes, client);
    });
  }
}

/** Commands are sent one at a time, each in a write of its own: packet header with sequence id 0, then the command byte. */
function asksForDump(bytes: Buffer): boolean {
  const command = bytes[PACKET_HEADER_BYTES];
  return bytes[3] === 0 && (command === COM_BINLOG_DUMP || command === COM_BINLOG_DUMP_GTID);
}

/** Cuts one dump into packets and lets each meet its fate. */
class DumpFilter {
  readonly #dump: number;
  readonly #fate: (event: PassingEvent) => Fate;
  readonly #tables = new Map<number, string>();
  #bytes: Buffer = Buffer.alloc(0);
  /** Nothing passes any more. */
  #closed = false;
  /** Whether the next packet goes on with a long event, which passes untouched. */
  #continued = false;

  constructor(dump: number, fate: (event: PassingEvent) => Fate) {
    this.#dump = dump;
    this.#fate = fate;
  }

  /** Passes the packets that are whole now. */
  pass(bytes: Buffer, client: Socket): void {
    this.#bytes = this.#bytes.length === 0 ? bytes : Buffer.concat([this.#bytes, bytes]);
    while (!this.#closed && this.#bytes.length >= PACKET_HEADER_BYTES) {
      const length = this.#bytes.readUIntLE(0, 3);
      const end = PACKET_HEADER_BYTES + length;
      if (this.#bytes.length < end) break;
      const packet = this.#bytes.subarray(0, end);
      this.#bytes = this.#bytes.subarray(end);
      const whole = length < FULL_PACKET_BYTES && !this.#continued;
      this.#continued = length === FULL_PACKET_BYTES;
      if (whole && packet[PACKET_HEADER_BYTES] === 0) this.#meet(packet, client);
      else client.write(packet);
    }
  }

  #meet(packet: Buffer, client: Socket): void {
    const fate = this.#fate(this.#eventOf(Buffer.from(packet.subarray(PACKET_HEADER_BYTES + 1))));
    if (fate === 'pass') client.write(packet);
    else if (fate === 'stall') this.#closed = true;
    else if (fate === 'cut') {
      this.#closed = true;
      client.end(packet.subarray(0, packet.length / 2));
    } else {
      const header = Buffer.from(packet.subarray(0, PACKET_HEADER_BYTES + 1));
      header.writeUIntLE(fate.instead.length + 1, 0, 3);
      client.write(Buffer.concat([header, fate.instead]));
    }
  }

  #eventOf(bytes: Buffer): PassingEvent {
    const type = bytes[4] ?? 0;
    const isRows = rowsTypes.has(type);
    let table = '';
    if (type === TABLE_MAP || isRows) {
      const id = bytes.readUIntLE(EVENT_HEADER_BYTES, 6);
      if (type === TABLE_MAP) this.#tables.set(id, tableNameOf(bytes));
      table = this.#tables.get(id) ?? '';
    }
    return { dump: this.#dump, type, isRows, table, bytes };
  }
}

/** TABLE_MAP body: table id of 6 bytes, flags of 2, then each name with its length before and a zero byte behind it. */
function tableNameOf(event: Buffer): string {
  const schemaAt = EVENT_HEADER_BYTES + 8;
  const schemaEnd = schemaAt + 1 + (event[schemaAt] ?? 0);
  const tableAt = schemaEnd + 1;
  const tableEnd = tableAt + 1 + (event[tableAt] ?? 0);
  return `${event.toString('utf8', schemaAt + 1, schemaEnd)}.${event.toString('utf8', tableAt + 1, tableEnd)}`;
}
