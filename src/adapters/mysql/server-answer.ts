import { Buffer } from 'node:buffer';
import { type ErrorCode, UmbusError } from '../../core/errors.ts';
import type { MysqlSourceOptions } from './options.ts';
import { codeOfServerError, replicationGrant } from './source-error.ts';
import type { Wire } from './wire.ts';

const HEADER_BYTES = 4;
const ERR = 0xff;
/** ER_MASTER_FATAL_ERROR_READING_BINLOG: the server cannot give what the dump asks for. */
const ER_CANNOT_DUMP = 1236;
const ER_ACCESS_DENIED = 1045;

function disconnected(options: MysqlSourceOptions): UmbusError {
  return new UmbusError(
    'UMBUS_SOURCE_DISCONNECTED',
    `${options.host}:${options.port} cut the connection while the dump was asked for.`,
  );
}

/** Reads until the first packet is whole when it is an ERR, or until its kind is known when it is not. */
async function firstPacket(wire: Wire, options: MysqlSourceOptions, whole: boolean): Promise<Buffer> {
  let bytes: Buffer = Buffer.alloc(0);
  for (;;) {
    if (bytes.length > HEADER_BYTES) {
      const isError = bytes[HEADER_BYTES] === ERR;
      if (!whole && !isError) return bytes;
      if (bytes.length >= HEADER_BYTES + bytes.readUIntLE(0, 3)) return bytes;
    }
    const chunk = await wire.read();
    if (chunk === null) throw disconnected(options);
    bytes = bytes.length === 0 ? chunk : Buffer.concat([bytes, chunk]);
  }
}

/** MySQL tells of a replica with the same id by 1236, MariaDB by another number. */
function codeOf(errno: number, text: string): ErrorCode {
  if (/same server_(uuid|id)/i.test(text)) return 'UMBUS_SOURCE_SERVER_ID';
  if (errno === ER_CANNOT_DUMP) return 'UMBUS_SOURCE_POSITION_GONE';
  // A replica's commands are refused as if its login was wrong: the account is right, the privilege is missing.
  if (errno === ER_ACCESS_DENIED) return 'UMBUS_SOURCE_GRANT';
  return codeOfServerError(errno) ?? 'UMBUS_SOURCE_PROTOCOL';
}

/** ERR packet: 0xff, error number u16, `#` and SQL state, message. */
function errorOf(packet: Buffer, options: MysqlSourceOptions, doing: string): UmbusError {
  const errno = packet.readUInt16LE(HEADER_BYTES + 1);
  const end = HEADER_BYTES + packet.readUIntLE(0, 3);
  const stateBytes = packet[HEADER_BYTES + 3] === 0x23 ? 6 : 0;
  const text = packet.toString('utf8', HEADER_BYTES + 3 + stateBytes, end);
  const code = codeOf(errno, text);
  const remedy = code === 'UMBUS_SOURCE_GRANT' ? ` Run: ${replicationGrant(options)};` : '';
  const message =
    code === 'UMBUS_SOURCE_POSITION_GONE'
      ? `The server cannot go on where the line stopped: ${text}.`
      : `The server refused while ${doing}: ${text}.${remedy}`;
  return new UmbusError(code, message, { details: { host: options.host, port: options.port, errno } });
}

/** Awaits the OK of a command. Errors: UMBUS_SOURCE_* by the server's error, UMBUS_SOURCE_DISCONNECTED. */
export async function expectOk(wire: Wire, options: MysqlSourceOptions, doing: string): Promise<void> {
  const packet = await firstPacket(wire, options, true);
  if (packet[HEADER_BYTES] === ERR) throw errorOf(packet, options, doing);
  wire.unread(packet.subarray(HEADER_BYTES + packet.readUIntLE(0, 3)));
}

/** Awaits the first bytes of a dump and leaves them to be read. Errors as {@link expectOk}. */
export async function expectDump(wire: Wire, options: MysqlSourceOptions): Promise<void> {
  const bytes = await firstPacket(wire, options, false);
  if (bytes[HEADER_BYTES] === ERR) throw errorOf(bytes, options, 'asking for the dump');
  wire.unread(bytes);
}
