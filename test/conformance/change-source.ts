import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { isUmbusError } from '../../src/core/errors.ts';
import type { ChangeConnection, ChangeSource, OpenFrom, ResumePoint } from '../../src/ports/change-source.ts';
import { type BinlogEvent, DumpReader, isCommit } from '../support/servers/binlog-events.ts';

/** A source under test with what the suite does to its server. Opened anew for each case. */
export interface ChangeSourceHarness extends AsyncDisposable {
  readonly source: ChangeSource;
  /** Bytes that may wait at most, chunk of the socket included. */
  readonly maxBufferedBytes: number;
  /** Commits `transactions` of one row of about `bytes` bytes each. */
  change(transactions: number, bytes: number): Promise<void>;
  /** The events that the server's files hold from a place on, to the end of the newest file. */
  written(from: { readonly file: string; readonly position: number }): Promise<readonly BinlogEvent[]>;
  /** Ends all connections that dump. */
  cut(): Promise<void>;
  /** Kills the server as a crash does. */
  kill(): Promise<void>;
  restart(): Promise<void>;
  /** Begins a new file. */
  rotate(): Promise<void>;
  /** Removes all files but the newest. */
  purge(): Promise<void>;
  /** Removes all files and starts history anew. */
  reset(): Promise<void>;
}

const never = new AbortController().signal;
const EARLIEST: OpenFrom = { kind: 'start', at: 'earliest' };
const NOW: OpenFrom = { kind: 'start', at: 'now' };

function place(event: BinlogEvent): string {
  return `${event.file}:${event.position}`;
}

function assertSame(received: readonly BinlogEvent[], written: readonly BinlogEvent[]): void {
  assert.deepEqual(received.map(place), written.map(place));
  for (const [i, event] of received.entries()) {
    assert.ok(
      event.bytes.equals(written[i]?.bytes ?? new Uint8Array()),
      `the bytes of ${place(event)} differ`,
    );
  }
}

/** Reads until `commits` transactions of rows were seen, or the connection ends. */
async function readCommits(
  connection: ChangeConnection,
  commits: number,
  pause: () => Promise<void> = async () => {},
): Promise<readonly BinlogEvent[]> {
  const reader = new DumpReader(connection);
  const events: BinlogEvent[] = [];
  for (let seen = 0; seen < commits; ) {
    await pause();
    const event = await reader.next();
    if (event === null) break;
    events.push(event);
    if (isCommit(event)) seen += 1;
  }
  return events;
}

/** The place after the last commit among events: where the next transaction starts. */
function resumeAfter(events: readonly BinlogEvent[], connection: ChangeConnection): OpenFrom {
  const last = events.findLast(isCommit);
  const at: ResumePoint =
    last === undefined
      ? connection.from
      : { file: last.file, position: last.position + last.bytes.length, gtid: '' };
  return { kind: 'resume', server: connection.server.id, at };
}

/** Runs the suite of the ChangeSource port. `open` gives null when the server is missing and the case was skipped. */
export function changeSourceConformance(
  name: string,
  open: (t: { skip(message: string): void }) => Promise<ChangeSourceHarness | null>,
): void {
  const conform = (title: string, run: (harness: ChangeSourceHarness) => Promise<void>) =>
    test(`${name}: ${title}`, { timeout: 120_000 }, async t => {
      await using harness = await open(t);
      if (harness !== null) await run(harness);
    });

  conform('delivers the bytes of all files in order, however the reader pauses', async harness => {
    await harness.change(20, 100);
    await harness.rotate();
    await using connection = await harness.source.open(EARLIEST, never);
    assert.equal(connection.switched, false);
    const writing = harness.change(200, 5_000);
    let seed = 7;
    const received = await readCommits(connection, 220, async () => {
      seed = (seed * 48_271) % 2_147_483_647;
      if (seed % 50 === 0) await delay(seed % 7);
    });
    await writing;
    const first = received[0];
    assert.ok(first !== undefined);
    assertSame(received, await harness.written(connection.from));
  });

  conform('starts now with what is committed after opening', async harness => {
    await harness.change(3, 100);
    await using connection = await harness.source.open(NOW, never);
    await harness.change(2, 100);
    const received = await readCommits(connection, 2);
    assert.equal(received.filter(isCommit).length, 2);
    assertSame(received, await harness.written(connection.from));
  });

  conform('starts at a file and position', async harness => {
    await harness.change(3, 100);
    await using first = await harness.source.open(EARLIEST, never);
    const events = await readCommits(first, 1);
    const resume = resumeAfter(events, first);
    assert.ok(resume.kind === 'resume');
    const { file, position } = resume.at;
    await using second = await harness.source.open({ kind: 'start', at: { file, position } }, never);
    assert.deepEqual([second.from.file, second.from.position], [file, position]);
    assertSame(await readCommits(second, 2), await harness.written({ file, position }));
  });

  conform('ends a read with null when the connection is cut, and resumes without loss', async harness => {
    await harness.change(5, 100);
    await using first = await harness.source.open(EARLIEST, never);
    const before = await readCommits(first, 5);
    const waiting = readCommits(first, 1);
    await harness.cut();
    const tail = await waiting.catch(() => []);
    assert.equal(tail.filter(isCommit).length, 0);
    await harness.change(5, 100);
    await using second = await harness.source.open(resumeAfter(before, first), never);
    const after = await readCommits(second, 5);
    assertSame([...before, ...after], await harness.written(first.from));
  });

  conform('is unreachable while the server is down, and resumes after it crashed', async harness => {
    await harness.change(5, 100);
    await using first = await harness.source.open(EARLIEST, never);
    const before = await readCommits(first, 5);
    const waiting = readCommits(first, 1);
    await harness.kill();
    await waiting;
    const resume = resumeAfter(before, first);
    await assert.rejects(
      () => harness.source.open(resume, never),
      error => isUmbusError(error, 'UMBUS_SOURCE_UNREACHABLE') && error.retryable,
    );
    await harness.restart();
    await harness.change(4, 100);
    await using second = await harness.source.open(resume, never);
    assert.equal(second.switched, false);
    const after = await readCommits(second, 4);
    assertSame([...before, ...after], await harness.written(first.from));
  });

  conform('never holds more bytes than its bound for a slow reader of 100 MB', async harness => {
    await using connection = await harness.source.open(NOW, never);
    await harness.change(50, 2_000_000);
    const reader = new DumpReader(connection);
    let most = 0;
    let commits = 0;
    let bytes = 0;
    while (commits < 50) {
      if (bytes < 20_000_000) await delay(1);
      most = Math.max(most, connection.buffered);
      const event = await reader.next();
      assert.ok(event !== null);
      bytes += event.bytes.length;
      if (isCommit(event)) commits += 1;
    }
    assert.ok(bytes > 100_000_000);
    assert.ok(most > 0 && most <= harness.maxBufferedBytes, `${most} bytes were waiting`);
  });

  conform('carries an event of more than 16 MB', async harness => {
    await using connection = await harness.source.open(NOW, never);
    await harness.change(1, 40_000_000);
    const received = await readCommits(connection, 1);
    assert.ok(received.some(event => event.bytes.length > 40_000_000));
    assertSame(received, await harness.written(connection.from));
  });

  conform('halts, and says what is lost, when its file was purged', async harness => {
    await harness.change(3, 100);
    await using first = await harness.source.open(EARLIEST, never);
    const resume = resumeAfter(await readCommits(first, 2), first);
    await harness.rotate();
    await harness.change(1, 100);
    await harness.purge();
    assert.ok(resume.kind === 'resume');
    await assert.rejects(
      () => harness.source.open(resume, never),
      error =>
        isUmbusError(error, 'UMBUS_SOURCE_POSITION_GONE') &&
        error.message.includes(`${resume.at.file}:${resume.at.position}`),
    );
  });

  conform('halts when history was reset, even when the file is long again', async harness => {
    await harness.change(6, 1_000);
    await using first = await harness.source.open(EARLIEST, never);
    const events = await readCommits(first, 6);
    const resume = resumeAfter(events, first);
    await harness.reset();
    const gone = (error: unknown) =>
      isUmbusError(error, 'UMBUS_SOURCE_POSITION_GONE') || isUmbusError(error, 'UMBUS_SOURCE_IDENTITY');
    await assert.rejects(() => harness.source.open(resume, never), gone);
    await harness.change(20, 777);
    await assert.rejects(() => harness.source.open(resume, never), gone);
  });

  conform('ends a waiting read when it is disposed', async harness => {
    const connection = await harness.source.open(NOW, never);
    const waiting = readCommits(connection, 1);
    await connection[Symbol.asyncDispose]();
    assert.equal((await waiting).filter(isCommit).length, 0);
    assert.equal(await connection.read(), null);
  });

  conform('throws the reason of a signal that aborts while it opens', async harness => {
    const controller = new AbortController();
    const opening = harness.source.open(EARLIEST, controller.signal);
    controller.abort(new Error('stop asked for'));
    await assert.rejects(opening, /stop asked for/);
  });

  conform('leaves an open connection alone when the signal of its opening aborts later', async harness => {
    const controller = new AbortController();
    await using connection = await harness.source.open(NOW, controller.signal);
    controller.abort();
    await harness.change(1, 100);
    assert.equal((await readCommits(connection, 1)).filter(isCommit).length, 1);
  });
}
