import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { BeatRecord } from '../../../src/change/beat-record.ts';
import { UmbusError } from '../../../src/core/errors.ts';
import type { BeatRound, BeatSession, BeatSource, BeatTarget } from '../../../src/ports/beats.ts';
import { type HeartbeatOptions, heartbeatSource } from '../../../src/stages/heartbeat.ts';
import { json, utf8 } from '../../../src/topology/serdes.ts';
import { topic } from '../../../src/topology/topic.ts';

const EVERY_MS = 1000;

/** A source that keeps what is inserted, and fails where a test wants it to. */
class ModelBeats implements BeatSource {
  readonly rounds: BeatRound[] = [];
  readonly trimmed: number[] = [];
  readonly tables: BeatTarget[] = [{ schema: 'shop', table: 'orders' }];
  fault: UmbusError | null = null;
  opened = 0;
  nowMs = 10_500;

  open(): Promise<BeatSession> {
    const fault = this.#fault();
    if (fault !== null) return fault;
    this.opened++;
    return Promise.resolve({
      lastBeat: this.rounds.at(-1)?.beat ?? 0,
      insert: round => {
        const failed = this.#fault();
        if (failed !== null) return failed;
        this.rounds.push(round);
        return Promise.resolve(this.nowMs * 1000);
      },
      sampleClock: () => {
        const micros = this.nowMs * 1000;
        return Promise.resolve({ sentMicros: micros, serverMicros: micros + 7, receivedMicros: micros });
      },
      tables: () => Promise.resolve(this.tables),
      trim: keep => {
        this.trimmed.push(keep);
        return Promise.resolve(0);
      },
      binlog: () => Promise.resolve(null),
      [Symbol.asyncDispose]: () => Promise.resolve(),
    });
  }

  #fault(): Promise<never> | null {
    return this.fault === null ? null : Promise.reject(this.fault);
  }
}

function beating(beats: ModelBeats, options: Partial<HeartbeatOptions> = {}) {
  const told: (string | null)[] = [];
  const source = heartbeatSource({
    beats,
    clock: {
      now: () => beats.nowMs,
      sleep: async ms => {
        beats.nowMs += Math.max(0, ms);
      },
    },
    schedule: afterMs => (Math.floor(afterMs / EVERY_MS) + 1) * EVERY_MS,
    topic: topic('web_heartbeat', utf8, json<BeatRecord>()),
    schemas: ['crm', 'shop'],
    rows: 'line',
    subscribed: (_, table) => table !== 'left_out',
    keep: 50,
    tell: trouble => told.push(trouble?.code ?? null),
    ...options,
  });
  return { connection: source.open(null, new AbortController().signal, new Map()), told };
}

const readOnly = (): UmbusError => new UmbusError('UMBUS_HEARTBEAT_READ_ONLY', 'No.');

test('a round has one row for all tables, and names each new table once', async () => {
  const beats = new ModelBeats();
  beats.tables.push({ schema: 'shop', table: 'left_out' });
  const connection = await beating(beats).connection;
  await connection.read();
  beats.tables.push({ schema: 'crm', table: 'leads' });
  await connection.read();
  beats.nowMs += 60_000;
  await connection.read();
  const all = { schema: '*', table: '*' };
  assert.deepEqual(
    beats.rounds.map(({ targets }) => targets),
    [[{ schema: 'shop', table: 'orders' }, all], [all], [{ schema: 'crm', table: 'leads' }, all]],
  );
});

test('with rows for each schema a round has one for each', async () => {
  const beats = new ModelBeats();
  beats.tables.length = 0;
  const connection = await beating(beats, { rows: 'schema' }).connection;
  await connection.read();
  assert.deepEqual(beats.rounds[0]?.targets, [
    { schema: 'crm', table: '*' },
    { schema: 'shop', table: '*' },
  ]);
});

test('rounds are at the times of the schedule, numbered on from what the source has, and note the skew', async () => {
  const beats = new ModelBeats();
  beats.rounds.push({ beat: 41, roundMs: 0, skewMicros: null, targets: [] });
  const connection = await beating(beats).connection;
  const first = await connection.read();
  const second = await connection.read();
  assert.deepEqual(
    [first, second].map(round => round?.kind === 'beat' && [round.beat, round.roundMs, round.skewMicros]),
    [
      [42, 11_000, 7],
      [43, 12_000, 7],
    ],
  );
});

test('rounds that were missed are left out', async () => {
  const beats = new ModelBeats();
  const connection = await beating(beats).connection;
  await connection.read();
  beats.nowMs = 20_400;
  const round = await connection.read();
  assert.equal(round?.kind === 'beat' && round.roundMs, 21_000);
});

test('a source that refuses is told once, tried again at each time, and told when it takes heartbeats again', async () => {
  const beats = new ModelBeats();
  const { connection: opening, told } = beating(beats);
  const connection = await opening;
  await connection.read();
  beats.fault = readOnly();
  const trouble = await connection.read();
  assert.deepEqual(trouble, {
    kind: 'trouble',
    code: 'UMBUS_HEARTBEAT_READ_ONLY',
    message: 'No.',
    atMs: 12_000,
  });
  // The next read meets the same trouble again and again, until the source is writable.
  const waiting = connection.read();
  await Promise.resolve();
  beats.fault = null;
  const round = await waiting;
  assert.equal(round?.kind === 'beat' && round.beat, 2);
  assert.deepEqual(told, ['UMBUS_HEARTBEAT_READ_ONLY', null]);
  assert.equal(beats.opened, 2);
});

test('old rows are deleted every hundred rounds', async () => {
  const beats = new ModelBeats();
  const connection = await beating(beats).connection;
  for (let i = 0; i < 200; i++) await connection.read();
  assert.deepEqual(beats.trimmed, [50, 50]);
});

test('a connection that is disposed ends a waiting read', async () => {
  const beats = new ModelBeats();
  const connection = await beating(beats, { schedule: () => null }).connection;
  const read = connection.read();
  await connection[Symbol.asyncDispose]();
  assert.equal(await read, null);
  assert.equal(beats.rounds.length, 0);
});
