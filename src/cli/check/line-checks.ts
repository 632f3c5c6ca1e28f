import { existsSync, statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Check } from '../../adapters/mysql/index.ts';
import type { EmbeddedLogSettings, Line } from '../../config/line.ts';
import type { Mistake } from '../../config/mistake.ts';
import { formatSize } from '../../config/quantity.ts';
import { isUmbusError, messageOf } from '../../core/errors.ts';

/** Warnings of the line file as items of the list. */
export function fileChecks(file: string, warnings: readonly Mistake[]): readonly Check[] {
  if (warnings.length === 0) {
    return [
      {
        item: 'line file',
        ok: true,
        found: 'valid',
        wanted: 'valid',
        why: 'All keys are known and have values that fit.',
        statement: null,
      },
    ];
  }
  return warnings.map(({ line, column, path, problem, suggestion }) => ({
    item: 'line file',
    ok: 'warn' as const,
    found: `${file}:${line}:${column}: ${problem}`,
    wanted: 'a reference to the password',
    why: `Whoever reads the file has the password (${path}); ${suggestion ?? 'use a reference'}.`,
    statement: null,
  }));
}

/** Whether the disk has room for an embedded log to grow to its configured size. */
export function spaceCheck({ dir, maxBytes }: EmbeddedLogSettings): Check {
  let nearest = dir;
  while (!existsSync(nearest) && dirname(nearest) !== nearest) nearest = dirname(nearest);
  const { bavail, bsize } = statfsSync(nearest);
  const free = bavail * bsize;
  return {
    item: 'log space',
    ok: free >= maxBytes ? true : 'warn',
    found: `${formatSize(free)} free for ${dir}`,
    wanted: `${formatSize(maxBytes)} (log.embedded.maxBytes)`,
    why: 'A disk that fills up makes the line wait until there is room; nothing is lost, but it falls behind. Lower the retention or maxBytes, or free space.',
    statement: null,
  };
}

/** Stands for the checks of a server that did not let us in. */
export function connectionCheck(line: Line, error: unknown): Check {
  const { host, port, user, tls } = line.source;
  return {
    item: 'connection',
    ok: false,
    found: isUmbusError(error) ? `${error.code}: ${error.message}` : messageOf(error),
    wanted: `a login as ${user} at ${host}:${port}${tls === null ? '' : ' with TLS'}`,
    why: isUmbusError(error) ? error.remedy : 'Without a connection nothing else can be looked at.',
    statement: null,
  };
}
