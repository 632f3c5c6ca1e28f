import type { SchemaColumn, TypeChange } from '../ums/table-schema.ts';
import { bytesPerCharacter } from './charset-width.ts';

/** The values of a type, as far as types are compared. */
type Values =
  | { readonly family: 'integer'; readonly min: bigint; readonly max: bigint }
  | { readonly family: 'decimal'; readonly whole: number; readonly scale: number; readonly unsigned: boolean }
  | { readonly family: 'real'; readonly bytes: number; readonly unsigned: boolean }
  | { readonly family: 'bit'; readonly bits: number }
  | { readonly family: 'time'; readonly kind: string; readonly fraction: number }
  | { readonly family: 'text'; readonly characters: number }
  | { readonly family: 'bytes'; readonly bytes: number; readonly fixed: boolean }
  | { readonly family: 'enum' | 'set'; readonly labels: readonly string[] }
  | { readonly family: 'geometry'; readonly kind: string }
  | { readonly family: 'other'; readonly text: string };

/** Compares the types of a column. `'respelled'` also for equal ones. */
export function compareTypes(before: SchemaColumn, after: SchemaColumn): TypeChange {
  const [old, next] = [valuesOf(before), valuesOf(after)];
  const more = holds(next, old);
  const less = holds(old, next);
  if (more && less) return 'respelled';
  return more ? 'widened' : less ? 'narrowed' : 'changed';
}

const integerBits: Readonly<Record<string, number>> = {
  tinyint: 8,
  smallint: 16,
  mediumint: 24,
  int: 32,
  bigint: 64,
};
const blobBytes: Readonly<Record<string, number>> = {
  tiny: 255,
  '': 65_535,
  medium: 16_777_215,
  long: 4_294_967_295,
};
const geometryKinds =
  /^(?:geometry|point|linestring|polygon|multipoint|multilinestring|multipolygon|geometrycollection)$/;

function valuesOf({ type, charset }: SchemaColumn): Values {
  const text = type.replace(/ (?:compressed|zerofill)\b/g, '');
  const [, name = '', inside = ''] = /^(\w+)(?:\(([\s\S]*)\))?/.exec(text) ?? [];
  const unsigned = / (?:unsigned)\b/.test(text) || / zerofill\b/.test(type);
  const [first = '', second = ''] = inside.split(',');
  const bits = Object.hasOwn(integerBits, name) ? integerBits[name] : undefined;
  if (bits !== undefined) return integer(bits, unsigned);
  const [, size, kind] = /^(tiny|medium|long|)(text|blob)$/.exec(name) ?? [];
  if (size !== undefined) {
    const bytes = blobBytes[size] ?? 0;
    if (kind === 'blob') return { family: 'bytes', bytes, fixed: false };
    return { family: 'text', characters: Math.floor(bytes / bytesPerCharacter(charset ?? '')) };
  }
  if (geometryKinds.test(name)) return { family: 'geometry', kind: name };
  switch (name) {
    case 'decimal':
      return { family: 'decimal', whole: Number(first) - Number(second), scale: Number(second), unsigned };
    case 'float':
    case 'double':
      return { family: 'real', bytes: name === 'float' ? 4 : 8, unsigned };
    case 'bit':
      return { family: 'bit', bits: Number(first) };
    case 'datetime':
    case 'timestamp':
    case 'time':
      return { family: 'time', kind: name, fraction: Number(first) };
    case 'char':
    case 'varchar':
      return { family: 'text', characters: Number(first) };
    case 'binary':
    case 'varbinary':
      return { family: 'bytes', bytes: Number(first), fixed: name === 'binary' };
    case 'enum':
    case 'set':
      return { family: name, labels: labelsIn(inside) };
    default:
      return { family: 'other', text };
  }
}

function integer(bits: number, unsigned: boolean): Values {
  const half = 1n << BigInt(bits - 1);
  return unsigned
    ? { family: 'integer', min: 0n, max: 2n * half - 1n }
    : { family: 'integer', min: -half, max: half - 1n };
}

function labelsIn(inside: string): readonly string[] {
  return [...inside.matchAll(/'((?:[^']|'')*)'/g)].map(([, label = '']) => label.replaceAll("''", "'"));
}

/** Whether every value of `inner` is one of `outer`. Transitive, so that steps of widening are widening. */
function holds(outer: Values, inner: Values): boolean {
  switch (outer.family) {
    case 'integer':
      return inner.family === 'integer' && outer.min <= inner.min && outer.max >= inner.max;
    case 'decimal':
      return (
        inner.family === 'decimal' &&
        outer.whole >= inner.whole &&
        outer.scale >= inner.scale &&
        (inner.unsigned || !outer.unsigned)
      );
    case 'real':
      return inner.family === 'real' && outer.bytes >= inner.bytes && (inner.unsigned || !outer.unsigned);
    case 'bit':
      return inner.family === 'bit' && outer.bits >= inner.bits;
    case 'time':
      return inner.family === 'time' && outer.kind === inner.kind && outer.fraction >= inner.fraction;
    case 'text':
      if (inner.family === 'enum') return inner.labels.every(label => [...label].length <= outer.characters);
      return inner.family === 'text' && outer.characters >= inner.characters;
    case 'bytes':
      // The server fills BINARY up to its length, so another length is another value.
      if (inner.family !== 'bytes' || (outer.fixed && !inner.fixed)) return false;
      return outer.fixed ? outer.bytes === inner.bytes : outer.bytes >= inner.bytes;
    case 'enum':
      return inner.family === 'enum' && inner.labels.every(label => outer.labels.includes(label));
    case 'set':
      // The labels of a value come in the order of the definition.
      return inner.family === 'set' && isSubsequence(inner.labels, outer.labels);
    case 'geometry':
      return inner.family === 'geometry' && (outer.kind === 'geometry' || outer.kind === inner.kind);
    case 'other':
      return inner.family === 'other' && outer.text === inner.text;
  }
}

function isSubsequence(part: readonly string[], whole: readonly string[]): boolean {
  let at = 0;
  for (const label of whole) if (label === part[at]) at += 1;
  return at === part.length;
}
