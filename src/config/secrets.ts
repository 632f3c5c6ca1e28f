import { resolve } from 'node:path';
import { isUmbusError } from '../core/errors.ts';
import type { SecretRef, TlsFiles } from './connection-settings.ts';
import { unsetVariable } from './environment.ts';
import type { KeyPath } from './mistake.ts';
import type { PathMistake } from './mistakes-of.ts';
import type { Environment } from './yaml-text.ts';

/** What resolving needs from outside. */
export interface Surroundings {
  readonly environment: Environment;
  /** Relative paths count from here. */
  readonly directory: string;
  /** Throws UMBUS_CONFIG_UNREADABLE. */
  readonly readText: (file: string) => string;
}

/** TLS with the texts of its files. */
export type TlsTexts = {
  readonly ca: string | null;
  readonly cert: string | null;
  readonly key: string | null;
  readonly verify: boolean;
};

/** Reads what a line file only refers to, and collects what is wrong with the references. */
export interface SecretReader {
  readonly mistakes: PathMistake[];
  readonly warnings: PathMistake[];
  /** The secret; null when there is none, or it cannot be read. */
  secretOf(ref: SecretRef | null, path: KeyPath): string | null;
  tlsOf(tls: TlsFiles | null, path: KeyPath): TlsTexts | null;
}

/** A reader of secrets. */
export function createSecretReader(around: Surroundings): SecretReader {
  const mistakes: PathMistake[] = [];
  const warnings: PathMistake[] = [];
  const read = (file: string, path: KeyPath, code: PathMistake['code']): string | null => {
    try {
      return around.readText(resolve(around.directory, file));
    } catch (error) {
      if (!isUmbusError(error)) throw error;
      const problem = `the file cannot be read (${causeCode(error.cause)})`;
      mistakes.push({
        path,
        part: 'value',
        problem,
        suggestion: null,
        ...(code === undefined ? {} : { code }),
      });
      return null;
    }
  };
  return {
    mistakes,
    warnings,
    secretOf(ref, path) {
      if (ref === null) return null;
      if (ref.kind === 'text') {
        if (ref.text !== '') warnings.push(secretInFile(path, 'the password stands in this file'));
        return ref.text;
      }
      if (ref.kind === 'file') {
        return read(ref.path, [...path, 'file'], 'UMBUS_SECRET_MISSING')?.replace(/\r?\n$/, '') ?? null;
      }
      const value = around.environment[ref.name];
      if (value !== undefined) return value;
      const unset = unsetVariable(ref.name, around.environment);
      mistakes.push({ path: [...path, 'env'], part: 'value', ...unset, code: 'UMBUS_SECRET_MISSING' });
      return null;
    },
    tlsOf(tls, path) {
      if (tls === null) return null;
      if ((tls.cert === null) !== (tls.key === null)) {
        const problem = 'cert and key belong together; one of them is missing';
        const missing = tls.cert === null ? 'key' : 'cert';
        mistakes.push({ path: [...path, missing], part: 'key', problem, suggestion: null });
      }
      const textOf = (key: 'ca' | 'cert' | 'key'): string | null => {
        const file = tls[key];
        return file === null ? null : read(file, [...path, key], 'UMBUS_CONFIG_UNREADABLE');
      };
      return { ca: textOf('ca'), cert: textOf('cert'), key: textOf('key'), verify: tls.verify };
    },
  };
}

/** The warning that a secret stands where whoever reads the file sees it. */
export function secretInFile(path: KeyPath, problem: string): PathMistake {
  return {
    path,
    part: 'value',
    problem,
    suggestion: 'write password: { env: NAME } or { file: path } instead',
  };
}

function causeCode(cause: unknown): string {
  return cause instanceof Error && 'code' in cause ? String(cause.code) : 'unreadable';
}
