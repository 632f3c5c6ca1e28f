import { Buffer } from 'node:buffer';

/**
 * Commands of a replica, each as a whole packet: payload length u24, sequence number 0, payload. Source of the layouts: "Replication
 * Protocol" in the MySQL source documentation (COM_REGISTER_SLAVE, COM_BINLOG_DUMP, COM_BINLOG_DUMP_GTID). All integers are little-endian.
 */

const COM_BINLOG_DUMP = 0x12;
const COM_REGISTER_SLAVE = 0x15;
const COM_BINLOG_DUMP_GTID = 0x1e;

function packet(payload: Buffer): Buffer {
  const head = Buffer.alloc(4);
  head.writeUIntLE(payload.length, 0, 3);
  return Buffer.concat([head, payload]);
}

/** Makes us visible in SHOW REPLICAS. Answered by an OK or ERR packet. */
export function registerCommand(serverId: number): Buffer {
  // command, server id, no host, user and password, port 0, rank 0, source id 0
  const payload = Buffer.alloc(1 + 4 + 3 + 2 + 4 + 4);
  payload[0] = COM_REGISTER_SLAVE;
  payload.writeUInt32LE(serverId, 1);
  return packet(payload);
}

/** Asks for a dump that waits for new events at the end. `position` below 2^32. */
export function dumpCommand(serverId: number, file: string, position: number): Buffer {
  const payload = Buffer.alloc(11);
  payload[0] = COM_BINLOG_DUMP;
  payload.writeUInt32LE(position, 1);
  payload.writeUInt16LE(0, 5);
  payload.writeUInt32LE(serverId, 7);
  return packet(Buffer.concat([payload, Buffer.from(file)]));
}

/**
 * The same with a 64-bit position and a GTID set of what we have. With a file name the server starts there; with '' it finds the
 * first file that holds something outside the set. MySQL only, with GTIDs on.
 */
export function dumpGtidCommand(serverId: number, file: string, position: number, gtidSet: Buffer): Buffer {
  const name = Buffer.from(file);
  const payload = Buffer.alloc(11 + name.length + 12);
  payload[0] = COM_BINLOG_DUMP_GTID;
  payload.writeUInt16LE(0, 1);
  payload.writeUInt32LE(serverId, 3);
  payload.writeUInt32LE(name.length, 7);
  name.copy(payload, 11);
  payload.writeBigUInt64LE(BigInt(position), 11 + name.length);
  payload.writeUInt32LE(gtidSet.length, 19 + name.length);
  return packet(Buffer.concat([payload, gtidSet]));
}
