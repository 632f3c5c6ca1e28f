import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { describe, it } from 'node:test';
import { encodeRawRun } from '../../../src/change/raw-run.ts';
import { recordJson, recordLines } from '../../../src/cli/render/record-lines.ts';
import { type TailOptions, tailTopic } from '../../../src/cli/tail.ts';
import { isUmbusError } from '../../../src/core/errors.ts';
import type { Log, LogRecord } from '../../../src/ports/log.ts';
import { deadHeaders, filledLog, outgoing, rawRun, umsMessage } from './line-log.ts';

const plain = (_style: string, text: string): string => text;
const never = new AbortController().signal;

async function offsets(log: Log, options: Partial<TailOptions>): Promise<readonly string[]> {
  const seen: string[] = [];
  await tailTopic(
    log,
    { topic: 'shop.shop.result', partition: null, from: 'recent', follow: false, limit: null, ...options },
    async (place, record) => {
      seen.push(`${place.partition}/${record.offset}`);
    },
    never,
  );
  return seen;
}

function recordOf(
  key: string | null,
  value: Uint8Array | null,
  headers: Record<string, string> = {},
): LogRecord {
  const { headers: bytes, key: keyBytes } = outgoing('t', 0, key, value, headers);
  return { offset: 7n, key: keyBytes, value, timestampMs: 0, headers: bytes };
}

describe('tailTopic', () => {
  const records = Array.from({ length: 30 }, (_, index) =>
    outgoing('shop.shop.result', index < 25 ? 0 : 1, 'k', umsMessage('i', { id: index, note: null })),
  );

  it('gives the last ten records of each partition when nothing is said', async () => {
    const log = await filledLog(records);
    const expected = [
      ...Array.from({ length: 10 }, (_, index) => `0/${15 + index}`),
      ...Array.from({ length: 5 }, (_, index) => `1/${index}`),
    ];
    assert.deepEqual(await offsets(log, {}), expected);
  });

  it('begins where it is told and stops at the limit', async () => {
    const log = await filledLog(records);
    assert.equal((await offsets(log, { from: 'beginning' })).length, 30);
    assert.deepEqual(await offsets(log, { from: 'end' }), []);
    assert.deepEqual(await offsets(log, { from: 23n, partition: 0 }), ['0/23', '0/24']);
    assert.deepEqual(await offsets(log, { from: 'beginning', limit: 3 }), ['0/0', '0/1', '0/2']);
    assert.deepEqual(await offsets(log, { from: 'beginning', limit: 0 }), []);
  });

  it('follows all partitions until it is stopped', async () => {
    const log = await filledLog(records);
    const stop = new AbortController();
    const seen: string[] = [];
    const tailing = tailTopic(
      log,
      { topic: 'shop.shop.result', partition: null, from: 'end', follow: true, limit: null },
      async (place, record) => {
        seen.push(`${place.partition}/${record.offset}`);
        if (seen.length === 2) stop.abort();
      },
      stop.signal,
    );
    await using writer = await log.openWriter('later');
    await writer.append(
      [1, 0].map(partition =>
        outgoing('shop.shop.result', partition, 'k', umsMessage('u', { id: 1, note: 'x' })),
      ),
    );
    await tailing;
    assert.deepEqual(seen.toSorted(), ['0/25', '1/5']);
  });

  it('stops following at the limit', async () => {
    const log = await filledLog(records);
    assert.equal((await offsets(log, { from: 'beginning', follow: true, limit: 30 })).length, 30);
  });

  it('names the topic that was probably meant', async () => {
    const log = await filledLog([]);
    await assert.rejects(offsets(log, { topic: 'shop.shop.resutl' }), error => {
      assert.ok(isUmbusError(error, 'UMBUS_LOG_UNKNOWN_TOPIC'));
      assert.match(error.message, /Did you mean shop\.shop\.result\?/);
      return true;
    });
  });

  it('refuses a partition that is not there, and an offset without a partition', async () => {
    const log = await filledLog([]);
    await assert.rejects(offsets(log, { partition: 2 }), error => isUmbusError(error, 'UMBUS_USAGE'));
    await assert.rejects(offsets(log, { from: 1n }), error => isUmbusError(error, 'UMBUS_USAGE'));
  });
});

describe('recordLines', () => {
  const place = { topic: 't', partition: 2 };
  const lines = (record: LogRecord) => recordLines(place, record, plain);

  it('prints a UMS row with its operation, id, time, table and columns', () => {
    assert.deepEqual(lines(recordOf('k', umsMessage('u', { id: 5, note: 'a "b"\u001b[31m' }))), [
      String.raw`2/7  u  30000000004711  2026-11-21 01:02:03.000000  shop.orders  id=5 note="a \"b\"\u001b[31m"`,
    ]);
    assert.match(lines(recordOf('k', umsMessage('d', { id: 5, note: null })))[0] ?? '', /id=5 note=NULL$/);
  });

  it('sums up a raw run', () => {
    assert.deepEqual(lines(recordOf('k', encodeRawRun(rawRun(100, 3)))), [
      '2/7  binlog.000003:100..157  3 events  57 B  shop.orders',
    ]);
  });

  it('prints a dead letter with its code and table', () => {
    const record = recordOf('shop.bad', encodeRawRun(rawRun(100, 1)), deadHeaders('UMBUS_BINLOG_TYPE'));
    assert.deepEqual(lines(record), [
      '2/7  UMBUS_BINLOG_TYPE  shop.bad  binlog.000003:100..119  1 event  19 B  shop.orders',
    ]);
  });

  it('prints other values as text, hexadecimal, or as deleted', () => {
    assert.deepEqual(lines(recordOf('k', Buffer.from('one\ntwo'))), [String.raw`2/7  k  one\u000atwo`]);
    assert.deepEqual(lines(recordOf('k', Buffer.from([0, 255]))), ['2/7  k  00ff']);
    assert.deepEqual(lines(recordOf('k', null)), ['2/7  k  (deleted)']);
  });

  it('lets nothing through that a terminal acts on', () => {
    const hostile = 'x\u001b]0;title\u0007\u009b31m\u202e';
    const records = [
      recordOf(hostile, Buffer.from(hostile)),
      recordOf('k', umsMessage('i', { id: 1, note: hostile })),
      recordOf('k', encodeRawRun(rawRun(1, 1, { file: hostile }))),
      recordOf(hostile, null, deadHeaders(hostile)),
    ];
    for (const record of records) {
      const acted = Array.from(lines(record).join('')).filter(
        character => character < ' ' || (hostile.slice(1).includes(character) && character > '\u007e'),
      );
      assert.deepEqual(acted, []);
    }
  });
});

describe('recordJson', () => {
  it('gives a text value as it is and other values as an object on one line', () => {
    const message = umsMessage('i', { id: 1, note: 'x' });
    assert.equal(recordJson(recordOf('k', message)), message.toString());
    assert.deepEqual(JSON.parse(recordJson(recordOf('k', Buffer.from([0, 255])))), {
      key: 'k',
      base64: 'AP8=',
    });
    assert.deepEqual(JSON.parse(recordJson(recordOf('k', null))), { key: 'k', value: null });
    const run = JSON.parse(recordJson(recordOf('k', encodeRawRun(rawRun(100, 1)))));
    assert.equal(run.file, 'binlog.000003');
    assert.equal(Buffer.from(run.events, 'base64').length, 19);
    assert.ok(!recordJson(recordOf('k', Buffer.from('a\nb'))).includes('\n'));
  });
});
