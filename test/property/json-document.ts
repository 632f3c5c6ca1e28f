/** JSON documents in the binary form of MySQL and as the text that the server prints; made independently of the decoder. */
import { Buffer } from 'node:buffer';
import { le } from '../unit/rows/rows-fixture.ts';

export type JsonDocument =
  | null
  | boolean
  | bigint
  | string
  | readonly JsonDocument[]
  | ReadonlyMap<string, JsonDocument>;

/** The text of a document. */
export function documentText(document: JsonDocument): string {
  if (document === null || typeof document === 'boolean') return String(document);
  if (typeof document === 'bigint') return String(document);
  if (typeof document === 'string') return JSON.stringify(document);
  if (isList(document)) return `[${document.map(documentText).join(', ')}]`;
  return `{${[...document].map(([key, each]) => `${JSON.stringify(key)}: ${documentText(each)}`).join(', ')}}`;
}

/** The type byte and the bytes of a document; `large` asks for the form with 32-bit offsets. */
export function documentBytes(document: JsonDocument, large: boolean): Buffer {
  const { type, bytes } = encode(document, large);
  return Buffer.concat([le(type, 1), bytes]);
}

interface Encoded {
  readonly type: number;
  readonly bytes: Buffer;
}

function encode(document: JsonDocument, large: boolean): Encoded {
  if (document === null) return { type: 4, bytes: le(0, 1) };
  if (typeof document === 'boolean') return { type: 4, bytes: le(document ? 1 : 2, 1) };
  if (typeof document === 'bigint') return encodeInteger(document);
  if (typeof document === 'string') {
    const text = Buffer.from(document);
    return { type: 12, bytes: Buffer.concat([variableLength(text.length), text]) };
  }
  return encodeContainer(document, large);
}

function encodeInteger(n: bigint): Encoded {
  if (n >= -(2n ** 15n) && n < 2n ** 15n) return { type: 5, bytes: le(n, 2) };
  if (n >= 0n && n < 2n ** 16n) return { type: 6, bytes: le(n, 2) };
  if (n >= -(2n ** 31n) && n < 2n ** 31n) return { type: 7, bytes: le(n, 4) };
  if (n >= 0n && n < 2n ** 32n) return { type: 8, bytes: le(n, 4) };
  return n < 2n ** 63n ? { type: 9, bytes: le(n, 8) } : { type: 10, bytes: le(n, 8) };
}

function encodeContainer(
  document: readonly JsonDocument[] | ReadonlyMap<string, JsonDocument>,
  large: boolean,
): Encoded {
  const width = large ? 4 : 2;
  const keys = isList(document) ? [] : [...document.keys()].map(key => Buffer.from(key));
  const values = (isList(document) ? document : [...document.values()]).map(each => encode(each, large));
  let at = 2 * width + keys.length * (width + 2) + values.length * (width + 1);
  const keyEntries: Buffer[] = [];
  const valueEntries: Buffer[] = [];
  const tail: Buffer[] = [];
  for (const key of keys) {
    keyEntries.push(le(at, width), le(key.length, 2));
    tail.push(key);
    at += key.length;
  }
  for (const { type, bytes } of values) {
    const inEntry = type <= 6 && type >= 4 ? true : large && (type === 7 || type === 8);
    valueEntries.push(
      le(type, 1),
      inEntry ? Buffer.concat([bytes, Buffer.alloc(width)]).subarray(0, width) : le(at, width),
    );
    if (inEntry) continue;
    tail.push(bytes);
    at += bytes.length;
  }
  const bytes = Buffer.concat([
    le(values.length, width),
    le(at, width),
    ...keyEntries,
    ...valueEntries,
    ...tail,
  ]);
  return { type: (isList(document) ? 2 : 0) + (large ? 1 : 0), bytes };
}

function isList(
  document: readonly JsonDocument[] | ReadonlyMap<string, JsonDocument>,
): document is readonly JsonDocument[] {
  return Array.isArray(document);
}

function variableLength(length: number): Buffer {
  const bytes: number[] = [];
  let rest = length;
  while (rest > 127) {
    bytes.push((rest & 127) | 128);
    rest >>= 7;
  }
  return Buffer.from([...bytes, rest]);
}
