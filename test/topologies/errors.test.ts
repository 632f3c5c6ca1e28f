import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UmbusError } from '../../src/core/errors.ts';
import type { TopologyEvents } from '../../src/runtime/events.ts';
import { createDriver, headerText } from '../../src/testing/index.ts';
import { defineTopology, type ErrorPolicies, trusted } from '../../src/topology/definition.ts';
import { bytes, int32, nullable, utf8 } from '../../src/topology/serdes.ts';
import type { Builder } from '../../src/topology/stream.ts';
import { store, topic } from '../../src/topology/topic.ts';

const input = topic('in', utf8, int32);
const out = topic('out', utf8, int32);
const dead = topic('test_dead', nullable(bytes), nullable(bytes));
const seen = store('seen', utf8, int32);

function wired(onError: Partial<ErrorPolicies>, build: (t: Builder) => void, events: TopologyEvents = {}) {
  const definition = defineTopology({
    name: 'test',
    version: 1,
    config: trusted<null>(),
    onError,
    deadLetter: () => 'test_dead',
    build,
  });
  return createDriver(definition, null, { events });
}

const noThrees = (value: number): number => {
  if (value === 3) throw new RangeError(`secret ${value}`);
  return value;
};

async function sendNumbers(driver: ReturnType<typeof wired>): Promise<void> {
  await driver.in(input).sendAll([1, 3, 5].map(value => ({ key: `k${value}`, value })));
}

test('fail stops the task at the record, with the place and without its value', async () => {
  const driver = wired({}, t => void t.source('in', input).map('no-threes', noThrees).to('out', out));
  await sendNumbers(driver);
  await assert.rejects(driver.settle(), (error: unknown) => {
    assert.ok(error instanceof UmbusError);
    assert.equal(error.code, 'UMBUS_TOPOLOGY_PROCESS');
    assert.match(error.message, /Stage 'no-threes' of task test-0 failed at in\/0 offset 1/);
    assert.doesNotMatch(error.message, /secret/);
    assert.ok(error.cause instanceof RangeError);
    assert.equal(error.details['offset'], 1n);
    return true;
  });
  assert.deepEqual(
    await driver.log.committed('umbus.test.test', [{ topic: 'in', partition: 0 }]),
    [null],
    'nothing of the batch is committed',
  );
  assert.deepEqual(driver.out(out).values(), []);
});

test('skip drops the record, counts and tells it', async () => {
  const told: string[] = [];
  const driver = wired(
    { process: 'skip' },
    t => void t.source('in', input).map('no-threes', noThrees).to('out', out),
    {
      skipped: ({ stage, offset, code, message }) => told.push(`${stage} ${offset} ${code} ${message}`),
    },
  );
  await sendNumbers(driver);
  await driver.settle();
  assert.deepEqual(driver.out(out).values(), [1, 5]);
  assert.equal(driver.snapshots()[0]?.counts.skipped, 1);
  assert.deepEqual(told, ['no-threes 1 UMBUS_TOPOLOGY_PROCESS A function of the topology threw RangeError.']);
});

test('dead-letter keeps the raw bytes, the input headers, and says what went wrong where', async () => {
  const driver = wired(
    { process: 'dead-letter' },
    t => void t.source('in', input).map('no-threes', noThrees).to('out', out),
  );
  await driver.in(input).send('k3', 3, { timestampMs: 42, headers: { trace: Buffer.from('t') } });
  await driver.settle();
  const [record] = driver.out(dead).all();
  assert.ok(record !== undefined);
  assert.equal(String(record.key), 'k3');
  assert.equal(Buffer.from(record.value ?? []).readInt32BE(), 3);
  assert.equal(record.timestampMs, 42);
  const names = ['topology', 'stage', 'task', 'topic', 'partition', 'offset', 'code', 'message', 'at'];
  assert.deepEqual(
    names.map(name => headerText(record.headers, `dead.${name}`)),
    [
      'test',
      'no-threes',
      'test-0',
      'in',
      '0',
      '0',
      'UMBUS_TOPOLOGY_PROCESS',
      'secret 3',
      '2024-01-01T00:00:00.000Z',
    ],
  );
  assert.equal(headerText(record.headers, 'in.trace'), 't');
  assert.ok(
    record.seq !== null && record.lane !== null,
    'it has a place in its lane, so a replay does not double it',
  );
});

test('retries come before the end of the policy, and one that works is the end', async () => {
  let calls = 0;
  const flaky = (value: number): number => {
    calls += 1;
    if (value === 3 && calls < 4) throw new Error('not yet');
    return value;
  };
  const build = (t: Builder) => void t.source('in', input).map('flaky', flaky).to('out', out);
  const driver = wired({ process: { policy: 'fail', retries: 3 } }, build);
  await sendNumbers(driver);
  await driver.settle();
  assert.deepEqual(driver.out(out).values(), [1, 3, 5]);
  assert.equal(calls, 5);
});

test('what does not decode follows the policy of decode, of its source first', async () => {
  const build = (t: Builder) => void t.source('in', input, { onError: 'dead-letter' }).to('out', out);
  const driver = wired({ decode: 'fail' }, build);
  await driver.in(input).sendBytes(Buffer.from('k'), Buffer.from('short'));
  await driver.in(input).sendBytes(null, Buffer.alloc(4));
  await driver.in(input).send('k', 7);
  await driver.settle();
  assert.deepEqual(driver.out(out).values(), [7]);
  assert.deepEqual(
    driver
      .out(dead)
      .all()
      .map(({ headers }) => headerText(headers, 'dead.code')),
    ['UMBUS_TOPOLOGY_DECODE', 'UMBUS_TOPOLOGY_DECODE'],
  );
  assert.deepEqual(
    driver
      .out(dead)
      .all()
      .map(({ key, value }) => [key === null, String(value)]),
    [
      [false, 'short'],
      [true, '\0\0\0\0'],
    ],
  );
});

test('what a sink cannot route or encode follows the policy of produce', async () => {
  const driver = wired({ process: 'fail', produce: 'dead-letter' }, t => {
    t.source('in', input).to('out', out, { partition: value => (value === 3 ? 9 : 0) });
  });
  await sendNumbers(driver);
  await driver.settle();
  assert.deepEqual(driver.out(out).values(), [1, 5]);
  assert.match(
    headerText(driver.out(dead).all()[0]?.headers ?? {}, 'dead.message') ?? '',
    /partition 9 of 'out', which has 1/,
  );
});

test('a processor that throws has its store changes taken back', async () => {
  const driver = wired({ process: 'skip' }, t => {
    t.source('in', input)
      .process<string, number, { seen: typeof seen }>('count', { seen }, () => ({
        on({ value }, { stores }, emit) {
          stores.seen.set('last', value);
          emit('sum', noThrees(value) + (stores.seen.get('before') ?? 0));
          stores.seen.set('before', value);
        },
      }))
      .to('out', out);
  });
  await driver.in(input).sendAll([1, 3].map(value => ({ key: 'k', value })));
  await driver.settle();
  assert.deepEqual(Object.fromEntries(await driver.store(seen)), { last: 1, before: 1 });
});

test('a processor that throws after it emitted stops the task, whatever the policy', async () => {
  const driver = wired({ process: 'skip' }, t => {
    t.source('in', input)
      .process<string, number, Record<never, never>>('late', {}, () => ({
        on({ key, value }, _, emit) {
          emit(key, value);
          noThrees(value);
        },
      }))
      .to('out', out);
  });
  await sendNumbers(driver);
  await assert.rejects(driver.settle(), {
    code: 'UMBUS_INTERNAL',
    message: /'late' of test-0 emitted before it threw/,
  });
});

test('a processor cannot swallow a failure of what follows it', async () => {
  const driver = wired({ produce: 'fail' }, t => {
    t.source('in', input)
      .process<string, number, Record<never, never>>('swallow', {}, () => ({
        on({ key, value }, _, emit) {
          try {
            emit(key, value);
          } catch {
            // As a careless author would.
          }
        },
      }))
      .to('out', out, { partition: value => (value === 3 ? 9 : 0) });
  });
  await sendNumbers(driver);
  await assert.rejects(driver.settle(), { code: 'UMBUS_TOPOLOGY_PROCESS', message: /'out'.*offset 1/ });
});

test('park keeps bytes of the stage’s choice, in order, in the same commit', async () => {
  const told: string[] = [];
  const driver = wired(
    {},
    t => {
      t.source('in', input)
        .process<string, number, Record<never, never>>('park', {}, () => ({
          on({ key, value }, context, emit) {
            if (value !== 3) emit(key, value);
            else
              context.park(
                'shop.orders',
                Buffer.from('raw'),
                new UmbusError('UMBUS_BINLOG_ROW', 'The row ends early.'),
              );
          },
        }))
        .to('out', out);
    },
    { parked: ({ key, code, message, offset }) => told.push(`${key} ${code} ${message} ${offset}`) },
  );
  await sendNumbers(driver);
  await driver.settle();
  assert.deepEqual(driver.out(out).values(), [1, 5]);
  assert.deepEqual(
    driver
      .out(dead)
      .all()
      .map(({ key, value }) => [String(key), String(value)]),
    [['shop.orders', 'raw']],
  );
  assert.deepEqual(told, ['shop.orders UMBUS_BINLOG_ROW The row ends early. 1']);
  assert.equal(driver.snapshots()[0]?.counts.parked, 1);
});

test('asynchronous stages retry with waits, then follow the policy', async () => {
  let calls = 0;
  const driver = wired({ process: { policy: 'dead-letter', retries: 2 } }, t => {
    t.source('in', input)
      .mapAsync(
        'remote',
        async value => {
          calls += 1;
          return noThrees(value);
        },
        { inFlight: 2, order: 'partition' },
      )
      .to('out', out);
  });
  await sendNumbers(driver);
  await driver.advance('10s');
  assert.equal(calls, 5);
  assert.deepEqual(driver.out(out).values(), [1, 5]);
  assert.equal(headerText(driver.out(dead).all()[0]?.headers ?? {}, 'dead.offset'), '1');
});
