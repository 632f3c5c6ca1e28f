import { assert } from '../core/assert.ts';
import {
  DATE_UNITS,
  type MaskFunctions,
  type MaskKey,
  type MaskRule,
  type MaskRules,
  type MaskSpec,
  type TableMasks,
} from '../masking/mask-spec.ts';
import { type LogicalName, OWN_NAME } from '../ums/namespace.ts';
import type { WrittenMask } from './mask-schema.ts';
import type { LineMask } from './resolve-masks.ts';
import { matcher } from './table-pattern.ts';

/** Tables whose rules are kept ready; the one that came first makes room. */
const KEPT = 4096;

/** The masks of a line by schema, as they are written in its file or in its shared cell. */
export type LineMasks = Readonly<Record<string, readonly LineMask[]>>;

/** The masks of a line file. */
export function lineMasks(line: {
  readonly schemas: Readonly<Record<string, { readonly masks: readonly LineMask[] }>>;
}): LineMasks {
  return Object.fromEntries(Object.entries(line.schemas).map(([schema, { masks }]) => [schema, masks]));
}

/**
 * Makes masks ready for use. All of them must have been found right by `maskMistakes` with these keys. `revision`: 0 for those of the line file.
 * A mask concerns a table when its pattern matches the table's logical name, or its own: what was masked stays so when tables become one.
 */
export function maskRules(
  masks: LineMasks,
  keys: Readonly<Record<string, string>>,
  functions: MaskFunctions,
  revision: number,
  logical: LogicalName = OWN_NAME,
): MaskRules {
  const rules = new Map(
    Object.entries(masks).map(([schema, list]) => [schema, list.map(each => compiled(each, keys))]),
  );
  const kept = new Map<string, TableMasks | null>();
  return {
    revision,
    of(schema, table) {
      const name = JSON.stringify([schema, table]);
      const known = kept.get(name);
      if (known !== undefined) return known;
      const matching = (rules.get(schema) ?? []).filter(
        ({ isTable }) => isTable(table) || isTable(logical(schema, table)),
      );
      const made: TableMasks | null =
        matching.length === 0
          ? null
          : {
              functions,
              ruleOf: column => matching.find(({ isColumn }) => isColumn(column.toLowerCase()))?.rule ?? null,
            };
      if (kept.size >= KEPT) kept.clear();
      kept.set(name, made);
      return made;
    },
  };
}

function compiled({ pattern, mask }: LineMask, keys: Readonly<Record<string, string>>) {
  const dot = pattern.lastIndexOf('.');
  const rule: MaskRule = { pattern, spec: specOf(mask, keys) };
  return {
    rule,
    isTable: matcher([pattern.slice(0, dot)]),
    // The server tells column names apart without regard to case, and a mask must not miss one for its case.
    isColumn: matcher([pattern.slice(dot + 1).toLowerCase()]),
  };
}

function specOf(mask: WrittenMask, keys: Readonly<Record<string, string>>): MaskSpec {
  const keyOf = (name: string): MaskKey => {
    const secret = keys[name];
    assert(secret !== undefined, `There is no key ${name}.`);
    return { name, secret };
  };
  switch (mask.type) {
    case 'default-value':
    case 'null':
      return { kind: mask.type };
    case 'replace':
      return { kind: mask.type, text: mask.with };
    case 'md5':
    case 'murmur3':
      return {
        kind: mask.type,
        salt: mask.salt === null ? null : keyOf(mask.salt),
        saltColumn: mask.saltColumn,
      };
    case 'regex':
      return { kind: mask.type, regex: mask.regex, replacement: mask.replacement };
    case 'hmac-sha256':
      return { kind: mask.type, key: keyOf(mask.key), length: mask.length };
    case 'digits':
      return { kind: mask.type, key: keyOf(mask.key) };
    case 'keep-edges':
      return { kind: mask.type, first: mask.first, last: mask.last, fill: mask.fill };
    case 'truncate':
      return { kind: mask.type, length: mask.length };
    case 'bucket': {
      const unit = DATE_UNITS.find(each => each === mask.size);
      return { kind: mask.type, size: unit === undefined ? { step: mask.size } : { unit } };
    }
    case 'function':
      return { kind: mask.type, id: `${mask.module}#${mask.export}`, columns: mask.columns };
    default:
      return mask satisfies never;
  }
}
