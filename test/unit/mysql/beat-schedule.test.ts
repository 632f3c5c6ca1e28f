import assert from 'node:assert/strict';
import { test } from 'node:test';
import { beatSchedule } from '../../../src/adapters/beat-schedule.ts';
import { isUmbusError } from '../../../src/core/errors.ts';

test('an interval counts from 1970, so that whoever goes on keeps the beat', () => {
  const next = beatSchedule({ kind: 'interval', ms: 5_000 });
  assert.equal(next(1_000_000_000_001), 1_000_000_005_000);
  assert.equal(next(1_000_000_005_000), 1_000_000_010_000);
});

test('a cron expression is due at its times, after the time asked for', () => {
  const next = beatSchedule({ kind: 'cron', expression: '*/10 * * * * *' });
  const now = Date.now();
  const first = next(now) ?? assert.fail();
  assert.ok(first > now && first % 10_000 === 0);
  assert.equal(next(first), first + 10_000);
});

test('an expression without a meaning is told', () => {
  assert.throws(
    () => beatSchedule({ kind: 'cron', expression: '99 * * * * *' }),
    error => isUmbusError(error, 'UMBUS_CONFIG_INVALID'),
  );
});
