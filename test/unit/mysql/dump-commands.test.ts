import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dumpCommand, dumpGtidCommand, registerCommand } from '../../../src/adapters/mysql/dump-commands.ts';

test('registers a replica without host, user and password', () => {
  assert.equal(
    registerCommand(0x01020304).toString('hex'),
    `12000000${'15'}04030201${'000000'}0000${'00000000'}00000000`,
  );
});

test('asks for a dump from a file and position, waiting at the end', () => {
  const bytes = dumpCommand(7, 'bin.000002', 0xfffffffe);
  assert.equal(bytes.toString('hex', 0, 15), '15000000' + '12' + 'feffffff' + '0000' + '07000000');
  assert.equal(bytes.toString('latin1', 15), 'bin.000002');
});

test('asks for a dump beyond 4 GB with a 64-bit position', () => {
  const bytes = dumpGtidCommand(7, 'bin.000002', 9_000_000_000, Buffer.alloc(8));
  assert.equal(bytes.readUIntLE(0, 3), bytes.length - 4);
  assert.equal(bytes.toString('hex', 4, 15), '1e' + '0000' + '07000000' + '0a000000');
  assert.equal(bytes.toString('latin1', 15, 25), 'bin.000002');
  assert.equal(bytes.readBigUInt64LE(25), 9_000_000_000n);
  assert.equal(bytes.readUInt32LE(33), 8);
  assert.equal(bytes.length, 37 + 8);
});
