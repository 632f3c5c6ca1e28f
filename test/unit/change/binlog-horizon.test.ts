import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type BinlogFiles, binlogHorizon, lookOf } from '../../../src/change/binlog-horizon.ts';

const HOUR = 3_600_000;
const MB = 1_000_000;

function binlog(options: Partial<BinlogFiles> = {}): BinlogFiles {
  return {
    files: [
      { file: 'bin.000007', bytes: 100 * MB },
      { file: 'bin.000008', bytes: 100 * MB },
      { file: 'bin.000009', bytes: 50 * MB },
    ],
    expireSeconds: 72 * 3600,
    maxTotalBytes: null,
    atMs: 1000 * HOUR,
    ...options,
  };
}

const place = (file: string, position: number, hoursAgo: number) => ({
  file,
  position,
  writtenMs: (1000 - hoursAgo) * HOUR,
});

test('a line that has read all has as long as the server keeps a file', () => {
  const horizon = binlogHorizon(binlog(), place('bin.000009', 50 * MB, 5), null);
  assert.deepEqual(horizon, {
    unreadBytes: 0,
    totalBytes: 250 * MB,
    bytesPerHour: null,
    leftMs: 72 * HOUR,
    by: 'age',
    lost: false,
  });
});

test('a line that is behind has less by the age of what it reads next', () => {
  const horizon = binlogHorizon(binlog(), place('bin.000008', 40 * MB, 60), null);
  assert.equal(horizon.unreadBytes, 110 * MB);
  assert.equal(horizon.leftMs, 12 * HOUR);
  assert.equal(binlogHorizon(binlog(), place('bin.000007', 4, 80), null).leftMs, 0);
});

test('where size ends the files, the room that is left and the growth tell', () => {
  const before = { ...binlog().files[2], bytes: 40 * MB, file: 'bin.000009', atMs: 998 * HOUR };
  const bySize = binlog({ maxTotalBytes: 300 * MB });
  const horizon = binlogHorizon(bySize, place('bin.000008', 0, 1), before);
  assert.equal(horizon.bytesPerHour, 5 * MB);
  assert.deepEqual([horizon.leftMs, horizon.by], [30 * HOUR, 'size']);
  const slow = binlogHorizon(binlog({ maxTotalBytes: 3000 * MB }), place('bin.000008', 0, 1), before);
  assert.deepEqual([slow.leftMs, slow.by], [71 * HOUR, 'age']);
});

test('a server that grows into a new file is measured over both', () => {
  const look = lookOf({ ...binlog(), files: [{ file: 'bin.000008', bytes: 90 * MB }], atMs: 999 * HOUR });
  assert.equal(binlogHorizon(binlog(), place('bin.000009', 0, 0), look).bytesPerHour, 60 * MB);
});

test('a server that keeps all for ever leaves all the time, and one that has the file no more none', () => {
  const forever = binlogHorizon(binlog({ expireSeconds: null }), place('bin.000007', 4, 900), null);
  assert.deepEqual([forever.leftMs, forever.by, forever.lost], [null, null, false]);
  const gone = binlogHorizon(binlog(), place('bin.000006', 4, 1), null);
  assert.deepEqual([gone.leftMs, gone.lost, gone.unreadBytes], [0, true, 250 * MB]);
});
