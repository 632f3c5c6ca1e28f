import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { test } from 'node:test';
import { isUmbusError } from '../../../src/core/errors.ts';
import { writeDateTime } from '../../../src/ums/time-text.ts';
import { UTC, zoneOf } from '../../../src/ums/zone.ts';

const seconds = (text: string): number => Date.parse(text) / 1000;

test('UTC has no offset', () => {
  assert.equal(zoneOf('UTC'), UTC);
  assert.equal(UTC.offsetAt(1_700_000_000), 0);
});

test('offsets follow the history of a zone, exact to the second of a change', () => {
  const berlin = zoneOf('Europe/Berlin');
  const spring = seconds('2024-03-31T01:00:00Z');
  const autumn = seconds('2024-10-27T01:00:00Z');
  for (const [at, hours] of [
    [spring - 1, 1],
    [spring, 2],
    [autumn - 1, 2],
    [autumn, 1],
    [seconds('1975-07-01T00:00:00Z'), 1],
  ] as const) {
    assert.equal(berlin.offsetAt(at), hours * 3600, `at ${at}`);
  }
  assert.equal(zoneOf('Asia/Kolkata').offsetAt(autumn), 5.5 * 3600);
  assert.equal(zoneOf('Pacific/Chatham').offsetAt(seconds('2024-06-01T00:00:00Z')), 12.75 * 3600);
  assert.equal(zoneOf('America/New_York').offsetAt(spring), -4 * 3600);
});

test('offsets agree with the platform over years, on a zone with odd changes', () => {
  const zone = zoneOf('Australia/Lord_Howe');
  const format = new Intl.DateTimeFormat('sv-SE', {
    timeZone: 'Australia/Lord_Howe',
    dateStyle: 'short',
    timeStyle: 'medium',
  });
  const w = Buffer.alloc(19);
  for (let at = seconds('2023-01-01T00:00:00Z'); at < seconds('2025-01-01T00:00:00Z'); at += 10_007) {
    writeDateTime(at + zone.offsetAt(at), w, 0);
    assert.equal(w.toString('latin1'), format.format(at * 1000));
  }
});

test('an unknown zone is refused', () => {
  assert.throws(
    () => zoneOf('Europe/Atlantis'),
    error => isUmbusError(error, 'UMBUS_CONFIG_INVALID') && error.message.includes('Europe/Atlantis'),
  );
});

test('dates are written for all of the years 0 to 9999', () => {
  const w = Buffer.alloc(19);
  for (let day = seconds('0000-01-01T00:00:00Z') / 86_400; day <= 2_932_896; day += 13) {
    const at = day * 86_400 + ((((day * 7919) % 86_400) + 86_400) % 86_400);
    writeDateTime(at, w, 0);
    assert.equal(w.toString('latin1'), new Date(at * 1000).toISOString().slice(0, 19).replace('T', ' '));
  }
});
