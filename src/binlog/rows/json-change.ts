/**
 * Updates that log a JSON column as differences to the document before: they are applied, and the whole document is written. A document is taken apart only along
 * the paths that change; all else stays as bytes. Sources: MySQL source documentation, `Json_diff` (the form of differences) and `json_binary.h`.
 */
import type { Buffer } from 'node:buffer';
import { type TupleBuffer, viewOf } from '../../ums/tuple-buffer.ts';
import { writeJson } from './json-binary.ts';
import { DAMAGED_DOCUMENT, type JsonNode, nodeBytes, nodeOf } from './json-node.ts';
import { type PathLeg, parseJsonPath } from './json-path.ts';

const REPLACE = 0;
const INSERT = 1;
const REMOVE = 2;

/**
 * Writes the document that the differences at `at` (four bytes of length, then they) make of the one at `x` (the same), which ends at `xEnd`, as `writeJson` does. Returns -1 when
 * either is damaged, and -2 when there is no document before: `x` is -2 when the image lacks the column.
 */
export function writeJsonChange(
  out: TupleBuffer,
  b: Buffer,
  d: DataView,
  x: number,
  xEnd: number,
  at: number,
  e: number,
  p: number,
  spare: number,
): number {
  if (x === -2) return -2;
  if (x < 0 || at + 4 > e) return -1;
  const end = at + 4 + d.getUint32(at, true);
  if (end > e) return -1;
  const changed = applyJsonChanges(b.subarray(x + 4, xEnd), b.subarray(at + 4, end));
  return changed === null ? -1 : writeJson(out, changed, viewOf(changed), 0, changed.length, p, spare);
}

/** The document, in its binary form, that differences make of another; null when either is damaged. */
export function applyJsonChanges(document: Buffer, changes: Buffer): Buffer | null {
  try {
    const root: { node: JsonNode } = { node: nodeOf(document) };
    let at = 0;
    while (at < changes.length) at = applyOne(root, changes, at);
    return nodeBytes(root.node);
  } catch (error) {
    if (error === DAMAGED_DOCUMENT || error instanceof RangeError) return null;
    throw error;
  }
}

function applyOne(root: { node: JsonNode }, changes: Buffer, from: number): number {
  const operation = changes.readUInt8(from);
  const path = sizedAt(changes, from + 1);
  const legs = parseJsonPath(path.bytes.toString('utf8'));
  if (legs === null || operation > REMOVE) throw DAMAGED_DOCUMENT;
  if (operation === REMOVE) {
    change(root, legs, null, operation);
    return path.end;
  }
  const value = sizedAt(changes, path.end);
  change(root, legs, nodeOf(value.bytes), operation);
  return value.end;
}

function change(
  root: { node: JsonNode },
  legs: readonly PathLeg[],
  value: JsonNode | null,
  operation: number,
): void {
  const last = legs.at(-1);
  if (last === undefined) {
    if (value === null || operation !== REPLACE) throw DAMAGED_DOCUMENT;
    root.node = value;
    return;
  }
  let node = root.node;
  for (const leg of legs.slice(0, -1)) {
    const next = childOf(node, leg);
    if (next === undefined) throw DAMAGED_DOCUMENT;
    node = next;
  }
  if (typeof last === 'string') {
    if (node.kind !== 'object' || node.members.has(last) === (operation === INSERT)) throw DAMAGED_DOCUMENT;
    if (value === null) node.members.delete(last);
    else node.members.set(last, value);
    return;
  }
  if (node.kind !== 'array') throw DAMAGED_DOCUMENT;
  const { items } = node;
  if (operation === INSERT && value !== null) items.splice(last, 0, value);
  else if (last >= items.length) throw DAMAGED_DOCUMENT;
  else if (value === null) items.splice(last, 1);
  else items[last] = value;
}

function childOf(node: JsonNode, leg: PathLeg): JsonNode | undefined {
  if (typeof leg === 'string') return node.kind === 'object' ? node.members.get(leg) : undefined;
  return node.kind === 'array' ? node.items[leg] : undefined;
}

/** Bytes after a length-encoded number (MySQL manual, "Protocol::LengthEncodedInteger"). */
function sizedAt(bytes: Buffer, at: number): { readonly bytes: Buffer; readonly end: number } {
  const first = bytes.readUInt8(at);
  let length = first;
  let start = at + 1;
  if (first > 250) {
    const size = first === 252 ? 2 : first === 253 ? 3 : first === 254 ? 6 : 0;
    if (size === 0) throw DAMAGED_DOCUMENT;
    length = bytes.readUIntLE(start, size);
    start += first === 254 ? 8 : size;
  }
  if (start + length > bytes.length) throw DAMAGED_DOCUMENT;
  return { bytes: bytes.subarray(start, start + length), end: start + length };
}
