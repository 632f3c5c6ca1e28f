import { Buffer } from 'node:buffer';
import { promisify } from 'node:util';
import { gunzipSync, gzip, zstdCompress, zstdDecompressSync } from 'node:zlib';
import { lz4Compress, lz4Decompress, snappyCompress, snappyDecompress } from '@platformatic/wasm-utils';
import { UmbusError } from '../../core/errors.ts';
import type { KafkaCompression } from './options.ts';

/** Numbers in the attributes of a record batch, bits 0 to 2 (kafka.apache.org, "Record Batch"). */
export const compressionCodes = { none: 0, gzip: 1, snappy: 2, lz4: 3, zstd: 4 } as const satisfies Record<
  KafkaCompression,
  number
>;

const gzipAsync = promisify(gzip);
const zstdAsync = promisify(zstdCompress);
/**
 * Kafka's snappy is the stream format of snappy-java: magic, version 1, compatible version 1, then blocks of raw snappy, each after its length as i32.
 */
const XERIAL_MAGIC = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0]);
const XERIAL_HEADER = Buffer.concat([XERIAL_MAGIC, Buffer.from([0, 0, 0, 1, 0, 0, 0, 1])]);
const XERIAL_BLOCK_BYTES = 32_768;

/** The records of a batch, compressed. */
export async function compress(codec: KafkaCompression, bytes: Buffer): Promise<Buffer> {
  switch (codec) {
    case 'none':
      return bytes;
    case 'gzip':
      return await gzipAsync(bytes);
    case 'zstd':
      return await zstdAsync(bytes);
    case 'lz4':
      return lz4Compress(bytes);
    case 'snappy':
      return snappyBlocks(bytes);
  }
}

/** The records of a batch, by the code in its attributes. Errors: UMBUS_LOG_CORRUPT. */
export function decompress(code: number, bytes: Buffer): Buffer {
  switch (code) {
    case compressionCodes.none:
      return bytes;
    case compressionCodes.gzip:
      return gunzipSync(bytes);
    case compressionCodes.zstd:
      return zstdDecompressSync(bytes);
    case compressionCodes.lz4:
      return lz4Decompress(bytes);
    case compressionCodes.snappy:
      return snappyFromBlocks(bytes);
    default:
      throw new UmbusError('UMBUS_LOG_CORRUPT', `A record batch has the unknown compression ${code}.`);
  }
}

function snappyBlocks(bytes: Buffer): Buffer {
  const parts: Buffer[] = [XERIAL_HEADER];
  for (let at = 0; at < bytes.length; at += XERIAL_BLOCK_BYTES) {
    const block = snappyCompress(bytes.subarray(at, at + XERIAL_BLOCK_BYTES));
    const length = Buffer.alloc(4);
    length.writeInt32BE(block.length);
    parts.push(length, block);
  }
  return Buffer.concat(parts);
}

/** Some producers write one raw block without the stream format. */
function snappyFromBlocks(bytes: Buffer): Buffer {
  if (!bytes.subarray(0, XERIAL_MAGIC.length).equals(XERIAL_MAGIC)) return snappyDecompress(bytes);
  const parts: Buffer[] = [];
  for (let at = XERIAL_HEADER.length; at < bytes.length; ) {
    const length = bytes.readInt32BE(at);
    parts.push(snappyDecompress(bytes.subarray(at + 4, at + 4 + length)));
    at += 4 + length;
  }
  return Buffer.concat(parts);
}
