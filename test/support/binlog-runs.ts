import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { createMysqlSource } from '../../src/adapters/mysql/index.ts';
import type { RawRun } from '../../src/change/raw-run.ts';
import { ExtractDriver } from './extract-driver.ts';
import type { Server } from './servers.ts';

/** The runs that the extractor makes of what a server wrote between two positions of one file. */
export async function binlogRuns(
  server: Pick<Server, 'host' | 'port' | 'user' | 'password'>,
  from: number,
  end: { readonly file: string; readonly position: number },
  wanted: (schema: string) => boolean,
  runBytes = 262_144,
): Promise<RawRun[]> {
  const { host, port, user, password } = server;
  const source = createMysqlSource({ host, port, user, password, serverId: 4_100_000_001, tls: null });
  const at = { file: end.file, position: from };
  await using connection = await source.open({ kind: 'start', at }, AbortSignal.timeout(60_000));
  const extractor = new ExtractDriver({ subscribed: wanted, subscribedSchema: wanted, runBytes });
  extractor.open({ server: connection.server, from: connection.from });
  const seen = (): number => extractor.emitted.at(-1)?.run.resume.position ?? 0;
  while (seen() < end.position) {
    const bytes = await connection.read();
    assert.ok(bytes !== null, 'the dump ended early');
    extractor.bytes(Buffer.from(bytes)).commit();
    // Nothing more may come that lands: a run without events says how far it was read.
    extractor.nowMs += 3_600_000;
  }
  return extractor.runs;
}
