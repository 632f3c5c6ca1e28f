import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { createMysqlSource } from '../../src/adapters/mysql/index.ts';
import { fileNumberOf } from '../../src/binlog/rotate.ts';
import type { RawRun } from '../../src/change/raw-run.ts';
import { isUmbusError } from '../../src/core/errors.ts';
import type { ChangeSource } from '../../src/ports/change-source.ts';
import { type ColumnDesk, ColumnTracker } from '../../src/stages/extract-columns.ts';
import { type LookedUp, lookUp } from '../../src/stages/extract-lookup.ts';
import { ExtractDriver } from './extract-driver.ts';
import type { Server } from './servers.ts';

/** A place in a server's binlog. */
export interface BinlogPlace {
  readonly file: string;
  readonly position: number;
}

/** What the extractor made of a stretch of binlog. */
export interface ReadBinlog {
  readonly runs: readonly RawRun[];
  /** What it halted with; null when it has read to the end. */
  readonly error: unknown;
}

const DEADLINE_MS = 120_000;

/**
 * What the extractor makes of what a server wrote between two positions, in one file or several, or up to where it halts. `from` as a number is in the
 * file of `end`.
 */
export async function readBinlog(
  server: Pick<Server, 'host' | 'port' | 'user' | 'password'>,
  from: number | BinlogPlace,
  end: BinlogPlace,
  wanted: (schema: string) => boolean,
  runBytes = 262_144,
): Promise<ReadBinlog> {
  const desk: ColumnDesk = { wanted: null };
  const read = await readOnce(server, from, end, { wanted, runBytes, desk, looked: null });
  if (!isUmbusError(read.error, 'UMBUS_SOURCE_COLUMNS')) return read;
  const source = sourceOf(server);
  const at = typeof from === 'number' ? { file: end.file, position: from } : from;
  const looked = await lookUp(
    {
      source,
      schemas: [desk.wanted?.schema ?? ''],
      wanted: desk.wanted,
      from: { kind: 'start', at },
      passed: null,
    },
    AbortSignal.timeout(DEADLINE_MS),
  );
  return await readOnce(server, from, end, { wanted, runBytes, desk, looked });
}

function sourceOf({
  host,
  port,
  user,
  password,
}: Pick<Server, 'host' | 'port' | 'user' | 'password'>): ChangeSource {
  return createMysqlSource({ host, port, user, password, serverId: 4_100_000_001, tls: null });
}

async function readOnce(
  server: Pick<Server, 'host' | 'port' | 'user' | 'password'>,
  from: number | BinlogPlace,
  end: BinlogPlace,
  {
    wanted,
    runBytes,
    desk,
    looked,
  }: {
    readonly wanted: (schema: string) => boolean;
    readonly runBytes: number;
    readonly desk: ColumnDesk;
    readonly looked: LookedUp | null;
  },
): Promise<ReadBinlog> {
  const source = sourceOf(server);
  const at = typeof from === 'number' ? { file: end.file, position: from } : from;
  await using connection = await source.open({ kind: 'start', at }, AbortSignal.timeout(DEADLINE_MS));
  const columns = new ColumnTracker(null, desk);
  const extractor = new ExtractDriver({ subscribed: wanted, subscribedSchema: wanted, columns, runBytes });
  const { named } = connection;
  extractor.open({
    server: connection.server,
    from: connection.from,
    columns: { kept: [], looked, named },
  });
  const last = fileNumberOf(end.file);
  const done = (): boolean => {
    const resume = extractor.emitted.at(-1)?.run.resume;
    if (resume === undefined) return false;
    const file = fileNumberOf(resume.file);
    return file > last || (file === last && resume.position >= end.position);
  };
  let error: unknown = null;
  while (error === null && !done()) {
    const bytes = await connection.read();
    assert.ok(bytes !== null, 'the dump ended early');
    try {
      extractor.bytes(Buffer.from(bytes)).commit();
    } catch (cause) {
      error = cause;
    }
    // Nothing more may come that lands: a run without events says how far it was read.
    extractor.nowMs += 3_600_000;
  }
  return { runs: extractor.runs, error };
}

/** The runs of {@link readBinlog}; fails where the extractor halts. */
export async function binlogRuns(
  server: Pick<Server, 'host' | 'port' | 'user' | 'password'>,
  from: number | BinlogPlace,
  end: BinlogPlace,
  wanted: (schema: string) => boolean,
  runBytes?: number,
): Promise<readonly RawRun[]> {
  const { runs, error } = await readBinlog(server, from, end, wanted, runBytes);
  if (error !== null) throw error;
  return runs;
}
