import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { alarmDocument } from '../../../src/adapters/alarms/index.ts';
import { fullAlarm } from '../../conformance/alarm-sink.ts';
import { schemaFolder } from './schema.ts';

const read = (name: string) => JSON.parse(readFileSync(new URL(name, schemaFolder), 'utf8'));
const valid = new Ajv2020({ strict: true, strictTypes: false }).compile(read('alarm.schema.json'));

test('the example of an alarm is valid, and has the members that umbus writes', () => {
  const example: Record<string, unknown> = read('alarm.example.json');
  assert.ok(valid(example), JSON.stringify(valid.errors));
  assert.deepEqual(Object.keys(example), Object.keys(alarmDocument(fullAlarm)));
});

test('what umbus writes of an alarm is valid', () => {
  assert.ok(valid(JSON.parse(JSON.stringify(alarmDocument(fullAlarm)))), JSON.stringify(valid.errors));
  assert.ok(!valid({ ...alarmDocument(fullAlarm), severity: 'fatal' }));
});
