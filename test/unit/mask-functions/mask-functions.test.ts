import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { openMaskFunctions } from '../../../src/adapters/mask-functions/index.ts';

const open = (timeoutMs = 5_000) => openMaskFunctions({ directory: import.meta.dirname, timeoutMs });
const id = (name: string) => `./masks-module.ts#${name}`;

describe("masks of a user's module", () => {
  test('are called with the value and the columns that were asked for', async () => {
    await using functions = open();
    assert.deepEqual(functions.call(id('initial'), 'Ann', {}), { value: 'A' });
    assert.deepEqual(functions.call(id('withRow'), 'Ann', { country: 'DE', id: null }), {
      value: '3{"country":"DE","id":null}',
    });
    assert.deepEqual(functions.call(id('big'), 'größe'.repeat(200_000), {}), {
      value: 'größe'.repeat(400_000),
    });
  });

  test('that cannot be loaded say so without a call', async () => {
    await using functions = open();
    assert.equal(functions.problemOf(id('initial')), null);
    assert.equal(functions.problemOf(id('missing')), 'is not exported');
    assert.equal(functions.problemOf(id('notAFunction')), 'is not exported');
    assert.equal(functions.problemOf('./nowhere.ts#default'), 'cannot be loaded (Error)');
    assert.deepEqual(functions.call(id('missing'), 'x', {}), { failed: 'is not exported' });
  });

  test('that fail say how, and nothing of the value', async () => {
    await using functions = open();
    const failures = Object.fromEntries(
      ['throws', 'promise', 'nothing', 'object', 'notANumber', 'huge'].map(name => {
        const result = functions.call(id(name), 'MARKER', {});
        return [name, 'failed' in result ? result.failed : assert.fail(name)];
      }),
    );
    assert.deepEqual(failures, {
      throws: 'threw an error',
      promise: 'gave a promise; it must give the value itself',
      nothing: 'gave nothing',
      object: 'gave something other than a text, a number, true, false or null',
      notANumber: 'gave no number',
      huge: 'gave a value that is too large',
    });
    // What a function leaves behind never runs.
    assert.deepEqual(functions.call(id('later'), 'MARKER', {}), { value: 'later' });
    assert.deepEqual(functions.call(id('prints'), 'MARKER', {}), { value: 'printed' });
    assert.deepEqual(functions.call(id('initial'), 'Ann', {}), { value: 'A' });
  });

  test('that take too long are cut off, and the next call begins anew', async () => {
    await using functions = open(1_000);
    assert.equal(functions.problemOf(id('forEver')), null);
    const start = process.hrtime.bigint();
    assert.deepEqual(functions.call(id('forEver'), 'MARKER', {}), { failed: 'took longer than 1000 ms' });
    assert.ok(process.hrtime.bigint() - start < 10_000_000_000n);
    assert.deepEqual(functions.call(id('initial'), 'Ann', {}), { value: 'A' });
    assert.deepEqual(functions.call(id('exits'), 'MARKER', {}), { failed: 'took longer than 1000 ms' });
    assert.deepEqual(functions.call(id('initial'), 'Ann', {}), { value: 'A' });
  });
});
