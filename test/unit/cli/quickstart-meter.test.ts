import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createMeter } from '../../../src/cli/quickstart/meter.ts';
import { PULSE_TABLE } from '../../../src/cli/quickstart/shop.ts';
import { SYSTEM_FIELDS } from '../../../src/ums/message.ts';
import type { UmsMessage } from '../../../src/ums/types.ts';

const START = Date.UTC(2026, 0, 5, 12);

/** A pulse that was sent so many milliseconds after the start. */
function pulse(id: number, sentMs: number): UmsMessage {
  const at = new Date(START + sentMs).toISOString().replace('T', ' ').replace('Z', '000');
  return {
    protocol: { type: 'data_increment_data', version: '1.3' },
    schema: {
      namespace: `mysql.shop.shop.${PULSE_TABLE}.0.0.0`,
      batchId: 0,
      fields: [
        ...SYSTEM_FIELDS,
        { name: 'id', type: 'int', nullable: false, encoded: false },
        { name: 'at', type: 'datetime', nullable: false, encoded: false },
      ],
    },
    payload: [{ tuple: [String(id), at, 'i', String(id), id, at] }],
  };
}

test('changes that waited for the start of the line do not count as its latency, and how long it took is told', () => {
  const meter = createMeter(START);
  assert.deepEqual([meter.read(START).startMs, meter.read(START).latency], [null, null]);
  // All three were sent before the first of them came out.
  for (const [id, sentMs] of [
    [1, 100],
    [2, 900],
    [3, 1500],
  ] as const)
    meter.take(pulse(id, sentMs), START + 1600);
  assert.deepEqual([meter.read(START + 1600).startMs, meter.read(START + 1600).latency], [1500, null]);
  for (let id = 4; id < 104; id++) meter.take(pulse(id, 2000 + id * 50), START + 2000 + id * 50 + id);
  const { latency, startMs, rows } = meter.read(START + 10_000);
  assert.deepEqual(latency, { p50: 53, p99: 102, samples: 100 });
  assert.deepEqual([startMs, rows, meter.lastPulse], [1500, 103, 103]);
});
