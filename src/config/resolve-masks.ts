import { Buffer } from 'node:buffer';
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { regexParts } from '../masking/regex-mask.ts';
import type { WrittenMask } from './mask-schema.ts';
import type { KeyPath } from './mistake.ts';
import type { PathMistake } from './mistakes-of.ts';

/** Keys of fewer bytes can be guessed. */
const KEY_BYTES_MIN = 16;

/** A mask of a line with the columns that it is for. */
export interface LineMask {
  /** `<tables>.<columns>`; the last dot divides. */
  readonly pattern: string;
  readonly mask: WrittenMask;
}

/** What masks need from a line file beside their rules. */
export interface MaskSurroundings {
  /** Secrets by name. */
  readonly keys: Readonly<Record<string, string>>;
  /** Absolute; modules count from here. */
  readonly directory: string;
}

/** What is wrong with a mask beyond its form, as part of it and sentence. [] when it can be used. */
export function maskMistakes(
  mask: WrittenMask,
  { keys, directory }: MaskSurroundings,
): readonly { readonly part: string; readonly problem: string; readonly suggestion: string | null }[] {
  const found: { part: string; problem: string; suggestion: string | null }[] = [];
  const add = (part: string, problem: string, suggestion: string | null = null): void => {
    found.push({ part, problem, suggestion });
  };
  const checkKey = (part: string, name: string, bytes: number): void => {
    const secret = Object.hasOwn(keys, name) ? keys[name] : undefined;
    if (secret === undefined) {
      add(
        part,
        `there is no key ${name} in masking.keys`,
        `the keys are ${Object.keys(keys).join(', ') || 'none'}`,
      );
    } else if (Buffer.byteLength(secret) < bytes) {
      add(part, `the key ${name} is shorter than ${bytes} bytes`);
    }
  };
  switch (mask.type) {
    case 'md5':
    case 'murmur3':
      if (mask.salt !== null && mask.saltColumn !== null)
        add('saltColumn', 'cannot stand beside salt', 'remove one of them');
      if (mask.salt !== null) checkKey('salt', mask.salt, 1);
      break;
    case 'hmac-sha256':
      checkKey('key', mask.key, KEY_BYTES_MIN);
      if (mask.length < 16 || mask.length > 64) add('length', 'expected a whole number from 16 to 64');
      break;
    case 'digits':
      checkKey('key', mask.key, KEY_BYTES_MIN);
      break;
    case 'truncate':
      if (mask.length === null) add('length', 'is missing (whole number)');
      break;
    case 'regex': {
      const parts = regexParts(mask.regex, mask.replacement);
      if ('problem' in parts) add(parts.part, parts.problem);
      break;
    }
    case 'function':
      if (!existsSync(resolve(directory, mask.module))) add('module', 'there is no such file');
      break;
    case 'default-value':
    case 'replace':
    case 'keep-edges':
    case 'bucket':
    case 'null':
      break;
    default:
      mask satisfies never;
  }
  return found;
}

/** The same for all masks of a line, as mistakes of its file. */
export function masksMistakes(
  schemas: Readonly<Record<string, { readonly masks: readonly LineMask[] }>>,
  around: MaskSurroundings,
): readonly PathMistake[] {
  return Object.entries(schemas).flatMap(([schema, { masks }]) =>
    masks.flatMap(({ pattern, mask }) =>
      maskMistakes(mask, around).map(({ part, problem, suggestion }) => {
        const path: KeyPath = ['schemas', schema, 'masks', pattern, part];
        return { path, part: 'value' as const, problem, suggestion };
      }),
    ),
  );
}
