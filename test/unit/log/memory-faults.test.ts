import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createMemoryLog, type MemoryFaults } from '../../../src/adapters/memory/index.ts';
import { isUmbusError } from '../../../src/core/errors.ts';
import { append, forever, join, record, topic, values } from '../../conformance/log-fixture.ts';

const input = { topic: 'in', partition: 0 };
const output = { topic: 'out', partition: 0 };
const fenced = (error: unknown) => isUmbusError(error, 'UMBUS_LOG_FENCED');
const commit = {
  outputs: [record('out', 'A'), record('out', 'B'), record('out', 'C')],
  offsets: [{ ...input, offset: 1n, metadata: '' }],
};

async function withMember(faults: MemoryFaults) {
  const log = createMemoryLog({ faults });
  await log.ensureTopics([topic('in', 2), topic('out')]);
  await append(log, record('in', '1'), record('in', '2'));
  const member = await join(log, 'g', ['in'], 'm');
  assert.equal((await member.membership.poll({ maxBytes: 10, maxWaitMs: 0 }, forever)).length, 1);
  return { log, member };
}

for (const [stage, written, committed] of [
  ['before', [], null],
  ['after', ['A', 'B', 'C'], 1n],
] as const) {
  test(`an atomic commit broken ${stage} its writes leaves ${written.length === 0 ? 'nothing' : 'everything'}`, async () => {
    const faults: MemoryFaults = {};
    const { log, member } = await withMember(faults);
    faults.onCommit = at => {
      if (at === stage) throw new Error('crash');
    };
    await assert.rejects(member.membership.commit(commit), /crash/);
    delete faults.onCommit;
    await assert.rejects(member.membership.commit(commit), 'the membership is used up');
    assert.deepEqual(values(log.records(output)), written);
    assert.equal((await log.committed('g', [input]))[0]?.offset ?? null, committed);
  });
}

test('outputs first: a commit broken between leaves a prefix of the outputs and no offsets', async () => {
  const stages: string[] = [];
  const faults: MemoryFaults = { commitMode: 'outputs-first', outputsBeforeCrash: () => 2 };
  const { log, member } = await withMember(faults);
  faults.onCommit = (at, attempt) => {
    stages.push(`${at} ${attempt.origin.kind} ${attempt.outputs.length}`);
    if (at === 'between') throw new Error('crash');
  };
  await assert.rejects(member.membership.commit(commit), /crash/);
  assert.deepEqual(stages, ['before member 3', 'between member 3']);
  assert.deepEqual(values(log.records(output)), ['A', 'B']);
  assert.deepEqual(await log.committed('g', [input]), [null]);
});

test('redelivers to the owner, and appends a stored record once more', async () => {
  const { log, member } = await withMember({});
  const poll = async () =>
    (await member.membership.poll({ maxBytes: 100, maxWaitMs: 0 }, forever)).flatMap(each =>
      values(each.records),
    );
  assert.deepEqual(await poll(), []);
  assert.equal(log.redeliver('g', input, 1n), true);
  assert.deepEqual(await poll(), ['2']);
  assert.equal(log.redeliver('g', input, 9n), false, 'it has not got that far');
  assert.equal(log.redeliver('other', input, 0n), false);
  log.duplicate(input, 0n);
  assert.deepEqual(await poll(), ['1']);
  assert.equal(log.records(input).length, 3);
  assert.throws(
    () => log.duplicate(input, 7n),
    error => isUmbusError(error, 'UMBUS_LOG_OFFSET_GONE'),
  );
});

test('rebalances by force: every partition moves to the next member by the normal path', async () => {
  const { log, member } = await withMember({});
  const other = await join(log, 'g', ['in'], 'other');
  const turn = async () => {
    for (let round = 0; round < 3; round++) {
      for (const each of [member, other])
        await each.membership.poll({ maxBytes: 100, maxWaitMs: 0 }, forever);
    }
  };
  await turn();
  assert.deepEqual(log.members('g'), ['m', 'other']);
  const before = [[...member.owned], [...other.owned]];
  assert.deepEqual(before.flat().sort(), [0, 1]);
  log.rebalance('g');
  await turn();
  assert.deepEqual([[...other.owned], [...member.owned]], before);
  assert.ok(
    member.events.some(event => event.startsWith('revoking')) &&
      other.events.some(event => event.startsWith('revoking')),
  );
});

test('expels by force: the others go on at once, the expelled one is fenced, told, and may come back', async () => {
  const { log, member } = await withMember({});
  const other = await join(log, 'g', ['in'], 'other');
  assert.equal(log.expel('g', 'm'), true);
  assert.equal(log.expel('g', 'm'), false);
  await other.settle(2);
  await assert.rejects(member.membership.commit(commit), fenced);
  await member.membership.poll({ maxBytes: 1, maxWaitMs: 0 }, forever);
  assert.ok(
    member.events.some(event => event.startsWith('lost')),
    member.events.join(),
  );
  assert.deepEqual(log.members('g'), ['other', 'm']);
});

test('depends on no clock: equal calls give equal answers, and a wait ends by an append', async () => {
  const log = createMemoryLog();
  await log.ensureTopics([topic('in')]);
  const member = await join(log, 'g', ['in'], 'm');
  const polling = member.membership.poll({ maxBytes: 100, maxWaitMs: 1 }, forever);
  await append(log, record('in', 'x'));
  assert.deepEqual(
    (await polling).flatMap(batch => values(batch.records)),
    ['x'],
  );
});
