import { Buffer } from 'node:buffer';
import { UmbusError } from '../core/errors.ts';
import type { MaskFunctions } from '../masking/mask-spec.ts';
import type { Serde } from '../topology/types.ts';
import type { MaskingSettings } from './line.ts';
import { type LineMasks, lineMasks } from './mask-rules.ts';
import { maskSchema, type WrittenMask } from './mask-schema.ts';
import { type LineMask, maskMistakes } from './resolve-masks.ts';

/** Where the processes of a line find the masks that were applied to it. */
export const MASKS_PATH = 'masks';

/** The masks of a line as its processes share them. Without secrets: these each process has from its own line file. */
export interface SharedMasks {
  /** 0: those of the line file, which were never applied; from 1 on each change is one more. */
  readonly revision: number;
  /** When they were applied, for people; '' for revision 0. */
  readonly appliedAt: string;
  readonly masks: LineMasks;
}

/** The masks of a line file before any were applied. */
export function fileMasks(line: Parameters<typeof lineMasks>[0]): SharedMasks {
  return { revision: 0, appliedAt: '', masks: lineMasks(line) };
}

/**
 * Shared masks as bytes: JSON in UTF-8. Decoding checks that this process can use them, with its own keys and modules. Errors: UMBUS_CONFIG_INVALID with the first mask that it
 * cannot use; UMBUS_MASK_MODULE.
 */
export function sharedMasksSerde(around: MaskingSettings, functions: MaskFunctions): Serde<SharedMasks> {
  return {
    name: 'masks',
    encode: masks => Buffer.from(JSON.stringify(masks), 'utf8'),
    decode(bytes) {
      const shared = readSharedMasks(bytes);
      for (const [schema, list] of Object.entries(shared.masks)) {
        for (const each of list) checkMask(schema, each, around, functions);
      }
      return shared;
    },
  };
}

/** Shared masks without a look at whether this process can use them. Errors: UMBUS_CONFIG_INVALID. */
export function readSharedMasks(bytes: Uint8Array): SharedMasks {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch {
    throw unusable('they are no JSON');
  }
  return sharedMasksOf(value);
}

/** Errors: UMBUS_CONFIG_INVALID, UMBUS_MASK_MODULE. */
function checkMask(
  schema: string,
  { pattern, mask }: LineMask,
  around: MaskingSettings,
  functions: MaskFunctions,
): void {
  const [mistake] = maskMistakes(mask, around);
  const where = `schemas.${schema}.masks["${pattern}"]`;
  if (mistake !== undefined) throw unusable(`${where}.${mistake.part}: ${mistake.problem}`);
  if (mask.type !== 'function') return;
  const problem = functions.problemOf(`${mask.module}#${mask.export}`);
  if (problem === null) return;
  throw new UmbusError(
    'UMBUS_MASK_MODULE',
    `The function ${mask.export} of ${mask.module}, which ${where} names, ${problem}.`,
    {
      details: { module: mask.module, export: mask.export },
    },
  );
}

function sharedMasksOf(value: unknown): SharedMasks {
  // Looked at member by member below.
  const { revision, appliedAt, masks } = (value ?? {}) as Readonly<Record<string, unknown>>;
  if (
    !Number.isSafeInteger(revision) ||
    typeof appliedAt !== 'string' ||
    typeof masks !== 'object' ||
    masks === null
  ) {
    throw unusable('they have another form than this version of umbus writes');
  }
  const read = Object.entries(masks).map(([schema, list]: [string, unknown]) => {
    if (!Array.isArray(list)) throw unusable(`those of schema ${schema} are no list`);
    return [schema, list.map(maskOf)] as const;
  });
  return { revision: Number(revision), appliedAt, masks: Object.fromEntries(read) };
}

function maskOf(value: unknown): LineMask {
  const { pattern, mask } = (value ?? {}) as Readonly<Record<string, unknown>>;
  const parsed = maskSchema.safeParse(withoutNulls(mask));
  if (typeof pattern !== 'string' || !parsed.success)
    throw unusable('one of them is not known to this version of umbus');
  return { pattern, mask: parsed.data };
}

/** What was left out in the line file is null in what was made of it. */
function withoutNulls(mask: unknown): unknown {
  if (typeof mask !== 'object' || mask === null) return mask;
  return Object.fromEntries(Object.entries(mask).filter(([, value]) => value !== null));
}

function unusable(why: string): UmbusError {
  return new UmbusError(
    'UMBUS_CONFIG_INVALID',
    `The masks that were applied to the line cannot be used: ${why}.`,
  );
}

/** A rule that one side of a comparison has and the other has not; a rule that was changed is both. */
export interface MaskDifference {
  readonly sign: '+' | '-';
  readonly schema: string;
  readonly pattern: string;
  readonly mask: WrittenMask;
}

/** What it takes to come from one set of masks to another, by schema, removed ones first. A changed order, which counts, is told as all rules gone and come. */
export function maskDifferences(from: LineMasks, to: LineMasks): readonly MaskDifference[] {
  const schemas = [...new Set([...Object.keys(from), ...Object.keys(to)])].sort();
  return schemas.flatMap(schema => {
    const before = from[schema] ?? [];
    const after = to[schema] ?? [];
    // First match wins, so order counts.
    if (JSON.stringify(before) === JSON.stringify(after)) return [];
    const has = (list: readonly LineMask[], one: LineMask) =>
      list.some(each => JSON.stringify(each) === JSON.stringify(one));
    const gone = before.filter(each => !has(after, each));
    const come = after.filter(each => !has(before, each));
    const moved = gone.length + come.length === 0;
    return [
      ...(moved ? before : gone).map(each => ({ sign: '-' as const, schema, ...each })),
      ...(moved ? after : come).map(each => ({ sign: '+' as const, schema, ...each })),
    ];
  });
}
