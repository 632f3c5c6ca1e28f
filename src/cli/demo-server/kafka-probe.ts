import { createConnection } from 'node:net';

const METADATA = 3;
const METADATA_VERSION = 4;
const ANSWER_DEADLINE_MS = 5_000;
const CLIENT_ID = 'umbus-probe';

/**
 * A Metadata request of version 4 for no topics, with its length (Kafka protocol guide): length, API key, version, correlation id,
 * client id; then the count of topics and whether missing ones are made.
 */
function metadataRequest(): Buffer {
  const request = Buffer.alloc(4 + 2 + 2 + 4 + 2 + CLIENT_ID.length + 4 + 1);
  let at = request.writeInt32BE(request.length - 4, 0);
  at = request.writeInt16BE(METADATA, at);
  at = request.writeInt16BE(METADATA_VERSION, at);
  at = request.writeInt32BE(1, at);
  at = request.writeInt16BE(CLIENT_ID.length, at);
  at += request.write(CLIENT_ID, at);
  request.writeInt32BE(0, at);
  return request;
}

/** Node ids of a Metadata response: correlation id, throttle time, count of brokers; of each id, host, port and rack. */
function brokersOf(response: Buffer): readonly number[] {
  const count = response.readInt32BE(8);
  let at = 12;
  const ids: number[] = [];
  for (let index = 0; index < count; index += 1) {
    ids.push(response.readInt32BE(at));
    at += 4;
    at += 2 + response.readInt16BE(at) + 4;
    at += 2 + Math.max(0, response.readInt16BE(at));
  }
  return ids;
}

/** Node ids of the brokers that a broker on this plain listener of 127.0.0.1 knows as live; null when it does not answer. */
export function liveBrokers(port: number): Promise<readonly number[] | null> {
  return new Promise(resolve => {
    const socket = createConnection(port, '127.0.0.1');
    let received = Buffer.alloc(0);
    const end = (answer: readonly number[] | null) => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(ANSWER_DEADLINE_MS, () => end(null));
    socket.once('connect', () => socket.write(metadataRequest()));
    socket.on('data', data => {
      received = Buffer.concat([received, data]);
      if (received.length < 4 || received.length < 4 + received.readInt32BE(0)) return;
      end(brokersOf(received.subarray(4)));
    });
    socket.once('error', () => end(null));
    socket.once('close', () => end(null));
  });
}
