import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createMemoryLog } from '../../../src/adapters/memory/memory-log.ts';
import { SchemaAlarms } from '../../../src/cli/alarms/schema-alarms.ts';
import { noAlarms } from '../../../src/config/resolve-alarms.ts';
import { schemaAlarm } from '../../../src/telemetry/alarms/schema-alarm.ts';
import { NOTICE_TYPE, noticeMessage, type SchemaNotice } from '../../../src/ums/schema-notice.ts';
import type { Verdict } from '../../../src/ums/table-schema.ts';
import { shopLine } from '../cli/line-log.ts';

function notice(more: Partial<SchemaNotice> = {}): SchemaNotice {
  return {
    protocol: { type: NOTICE_TYPE, version: '1.0' },
    ds: 'shop',
    schema: 'shop',
    table: 'orders',
    reason: 'alter',
    version: 1,
    innerVersion: 2,
    verdict: 'breaking',
    rows: 'kept',
    from: { epoch: 1, file: 'binlog.000103', position: 4711 },
    uid: '100010300000000047110',
    ts: '2026-01-05 16:50:16.000',
    statements: [
      { at: { epoch: 1, file: 'binlog.000103', position: 4711 }, text: 'ALTER TABLE orders DROP note' },
    ],
    before: null,
    after: null,
    changes: [
      {
        kind: 'dropped',
        verdict: 'breaking',
        column: { name: 'note', type: 'text', umsType: 'string', nullable: true, charset: 'utf8mb4' },
      },
    ],
    ...more,
  };
}

describe('the alarm of a notice', () => {
  it('says what changed, where, and by what', () => {
    const alarm = schemaAlarm(notice(), 'breaking', 5);
    assert.deepEqual(
      [alarm?.title, alarm?.severity, alarm?.atMs],
      ['Table shop.orders: columns changed, breaking', 'warning', 5],
    );
    assert.equal(
      alarm?.text,
      'From binlog.000103:4711 on (2026-01-05 16:50:16.000).\n- dropped note text character set utf8mb4 (breaking)\nALTER TABLE orders DROP note',
    );
    assert.equal(alarm?.details['table'], 'shop.orders');
  });

  it('comes from the verdict on that people want, and for rows that nobody has', () => {
    const told = (verdict: Verdict, least: Verdict | 'none', more: Partial<SchemaNotice> = {}): boolean =>
      schemaAlarm(notice({ verdict, ...more }), least, 0) !== null;
    assert.deepEqual(
      (['compatible', 'widening', 'breaking'] as const).map(verdict => [
        told(verdict, 'compatible'),
        told(verdict, 'widening'),
        told(verdict, 'breaking'),
        told(verdict, 'none'),
      ]),
      [
        [true, false, false, false],
        [true, true, false, false],
        [true, true, true, false],
      ],
    );
    assert.equal(told('compatible', 'compatible', { reason: 'create' }), false);
    assert.equal(
      told('compatible', 'breaking', { reason: 'rename', rows: 'unknown', renamedFrom: 'shop.x' }),
      true,
    );
    assert.equal(told('breaking', 'none', { reason: 'reload', rows: 'unknown' }), false);
  });

  it('has the id of its notice', () => {
    const id = (more: Partial<SchemaNotice>): string => schemaAlarm(notice(more), 'breaking', 0)?.id ?? '';
    assert.equal(id({}), id({}));
    assert.notEqual(id({}), id({ innerVersion: 3 }));
    assert.notEqual(id({}), id({ uid: '100010300000000047120' }));
  });
});

describe('a look at the notices', () => {
  const never = new AbortController().signal;
  const settings = { ...shopLine(), alarms: noAlarms };

  it('begins with what comes from now on, tells each notice once, and goes on where the one before stopped', async () => {
    const log = createMemoryLog();
    const first = new SchemaAlarms({ log, line: settings });
    assert.deepEqual(await first.since(undefined, 0, never), { alarms: [], next: '0' });
    await log.ensureTopics([
      { name: 'shop_schema', partitions: 1, cleanup: 'delete', retentionMs: null, retentionBytes: null },
    ]);
    await using writer = await log.openWriter('test');
    const write = (...notices: readonly SchemaNotice[]) =>
      writer.append(
        notices.map(each => ({
          topic: 'shop_schema',
          partition: 0,
          key: Buffer.from('shop.orders'),
          value: noticeMessage(each),
          timestampMs: 0,
          headers: {},
        })),
      );
    await write(notice(), notice(), notice({ verdict: 'compatible', innerVersion: 3 }));
    const { alarms, next } = await first.since('0', 0, never);
    assert.deepEqual([alarms.length, next], [1, '3']);
    await write(notice({ innerVersion: 4, uid: '100010300000000057110' }));
    assert.deepEqual((await new SchemaAlarms({ log, line: settings }).since(undefined, 0, never)).next, '4');
    const later = await new SchemaAlarms({ log, line: settings }).since('3', 0, never);
    assert.deepEqual([later.alarms.length, later.next], [1, '4']);
    assert.deepEqual(await first.since('4', 0, never), { alarms: [] });
  });
});
