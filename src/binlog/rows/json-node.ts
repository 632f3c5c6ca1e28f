/** A JSON document in its binary form as nodes, and back. Only objects and arrays are opened; scalars stay bytes. Source: MySQL source documentation, `json_binary.h`. */
import { Buffer } from 'node:buffer';

/** Thrown, as it is, for bytes that are no document. */
export const DAMAGED_DOCUMENT = Symbol('damaged document');

/** A part of a document. */
export type JsonNode =
  | { readonly kind: 'object'; readonly members: Map<string, JsonNode> }
  | { readonly kind: 'array'; readonly items: JsonNode[] }
  | { readonly kind: 'scalar'; readonly type: number; readonly bytes: Buffer };

const LARGE_OBJECT = 1;
const LARGE_ARRAY = 3;
const LITERAL = 4;
const DOUBLE = 11;
const STRING = 12;
const OPAQUE = 15;
/** Bytes of the scalars of types 4 to 11. */
const SCALAR_BYTES = [1, 2, 2, 4, 4, 8, 8, 8];
/** Types whose value stands in its entry: in containers of two-byte offsets up to INT16 and UINT16, else up to UINT32. */
const SMALL_IN_ENTRY = 6;
const LARGE_IN_ENTRY = 8;
const DEPTH_MAX = 101;

/** The document in bytes; no bytes at all are `null`. Throws {@link DAMAGED_DOCUMENT} or a RangeError. */
export function nodeOf(bytes: Buffer): JsonNode {
  if (bytes.length === 0) return { kind: 'scalar', type: LITERAL, bytes: Buffer.alloc(1) };
  return read(bytes, bytes.readUInt8(0), 1, 0, { left: bytes.length + 1 });
}

function read(b: Buffer, type: number, at: number, depth: number, parts: { left: number }): JsonNode {
  if (depth > DEPTH_MAX || --parts.left < 0) throw DAMAGED_DOCUMENT;
  if (type <= LARGE_ARRAY) return readContainer(b, type, at, depth, parts);
  return { kind: 'scalar', type, bytes: b.subarray(at, at + scalarBytes(b, type, at)) };
}

function scalarBytes(b: Buffer, type: number, at: number): number {
  let size = SCALAR_BYTES[type - LITERAL] ?? 0;
  if (type === STRING || type === OPAQUE)
    size = sizedBytes(b, type === OPAQUE ? at + 1 : at) + (type === OPAQUE ? 1 : 0);
  else if (type > DOUBLE) throw DAMAGED_DOCUMENT;
  if (at + size > b.length) throw DAMAGED_DOCUMENT;
  return size;
}

/** Bytes of a length of seven bits a byte and what it counts. */
function sizedBytes(b: Buffer, at: number): number {
  let length = 0;
  for (let i = 0; i < 5; i++) {
    const byte = b.readUInt8(at + i);
    length += (byte & 0x7f) * 128 ** i;
    if (byte < 0x80) return i + 1 + length;
  }
  throw DAMAGED_DOCUMENT;
}

function readContainer(
  b: Buffer,
  type: number,
  at: number,
  depth: number,
  parts: { left: number },
): JsonNode {
  const isObject = type <= LARGE_OBJECT;
  const width = type === LARGE_OBJECT || type === LARGE_ARRAY ? 4 : 2;
  const count = b.readUIntLE(at, width);
  if (count > b.length) throw DAMAGED_DOCUMENT;
  const keys = at + 2 * width;
  const values = keys + (isObject ? count * (width + 2) : 0);
  const valueAt = (i: number): JsonNode => {
    const entry = values + i * (width + 1);
    const valueType = b.readUInt8(entry);
    const inEntry = valueType >= LITERAL && valueType <= (width === 4 ? LARGE_IN_ENTRY : SMALL_IN_ENTRY);
    return read(b, valueType, inEntry ? entry + 1 : at + b.readUIntLE(entry + 1, width), depth + 1, parts);
  };
  if (!isObject) return { kind: 'array', items: Array.from({ length: count }, (_, i) => valueAt(i)) };
  const members = new Map<string, JsonNode>();
  for (let i = 0; i < count; i++) {
    const entry = keys + i * (width + 2);
    const from = at + b.readUIntLE(entry, width);
    members.set(b.toString('utf8', from, from + b.readUInt16LE(entry + width)), valueAt(i));
  }
  return { kind: 'object', members };
}

/** The document of a node, in the large form. Members are in the server's order: by length of the name, then by its bytes. */
export function nodeBytes(node: JsonNode): Buffer {
  return Buffer.concat([Buffer.from([typeOf(node)]), valueBytes(node)]);
}

function typeOf(node: JsonNode): number {
  return node.kind === 'object' ? LARGE_OBJECT : node.kind === 'array' ? LARGE_ARRAY : node.type;
}

function valueBytes(node: JsonNode): Buffer {
  if (node.kind === 'scalar') return node.bytes;
  const members = node.kind === 'object' ? sortedMembers(node.members) : [];
  const nodes = node.kind === 'object' ? members.map(([, member]) => member) : node.items;
  const entries = 8 + members.length * 6;
  const head = Buffer.alloc(entries + nodes.length * 5);
  head.writeUInt32LE(nodes.length, 0);
  const chunks: Buffer[] = [head];
  let size = head.length;
  for (const [i, [name]] of members.entries()) {
    head.writeUInt32LE(size, 8 + i * 6);
    head.writeUInt16LE(name.length, 12 + i * 6);
    chunks.push(name);
    size += name.length;
  }
  for (const [i, child] of nodes.entries()) {
    const entry = entries + i * 5;
    const bytes = valueBytes(child);
    head.writeUInt8(typeOf(child), entry);
    if (child.kind === 'scalar' && child.type <= LARGE_IN_ENTRY) bytes.copy(head, entry + 1);
    else {
      head.writeUInt32LE(size, entry + 1);
      chunks.push(bytes);
      size += bytes.length;
    }
  }
  head.writeUInt32LE(size, 4);
  return Buffer.concat(chunks, size);
}

function sortedMembers(members: ReadonlyMap<string, JsonNode>): (readonly [Buffer, JsonNode])[] {
  return [...members]
    .map(([name, node]) => [Buffer.from(name), node] as const)
    .sort(([a], [b]) => a.length - b.length || Buffer.compare(a, b));
}
