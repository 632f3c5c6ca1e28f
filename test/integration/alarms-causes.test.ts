import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { startAlarmReceiver } from '../support/alarm-receiver.ts';
import { watchLine } from '../support/alarm-watch.ts';
import { createSignalTables } from '../support/heartbeats.ts';
import { PROBE_SCHEMA, startLine } from '../support/running-line.ts';
import { requireServer, type Server, serverKinds } from '../support/servers.ts';
import { startSlowLine } from '../support/slow-line.ts';
import { startSteadyLoad } from '../support/steady-load.ts';
import { until } from '../support/until.ts';

const DEADLINE_MS = 60_000;
const LATE_MS = 4_000;

/** Makes a server a replica of another one, `delay` seconds behind it. */
async function replicate(replica: Server, from: Server, delay: number): Promise<void> {
  if (replica.flavor === 'mariadb') {
    await replica.query('STOP SLAVE');
    await replica.query(
      `CHANGE MASTER TO master_host = '127.0.0.1', master_port = ${from.port}, master_user = 'root', master_use_gtid = slave_pos, master_delay = ${delay}`,
    );
    await replica.query('START SLAVE');
  } else {
    await replica.query('STOP REPLICA');
    await replica.query(
      `CHANGE REPLICATION SOURCE TO source_host = '127.0.0.1', source_port = ${from.port}, source_user = 'root', source_auto_position = 1, get_source_public_key = 1, source_delay = ${delay}`,
    );
    await replica.query('START REPLICA');
  }
}

describe('alarms name what is not a hop of the line', () => {
  for (const kind of serverKinds) {
    it(`on ${kind}: the replica that is read, when it stops or is late itself`, {
      timeout: 300_000,
    }, async test => {
      const args = kind === 'mariadb' ? ['--log-slave-updates'] : [];
      await using primary = await requireServer(test, kind, { args });
      if (primary === null) return;
      await using replica = await requireServer(test, kind, { args });
      if (replica === null) return;
      await replicate(replica, primary, 0);
      await primary.query(`CREATE DATABASE ${PROBE_SCHEMA}`);
      await until(
        'the replica to have it',
        async () => (await replica.query(`SHOW DATABASES LIKE '${PROBE_SCHEMA}'`)).length > 0,
      );
      await using receiver = await startAlarmReceiver();
      await using load = await startSteadyLoad(primary, 'load_1');
      await using line = await startLine({ server: replica, schemas: ['load_1'] });
      await using _ = await watchLine(line, receiver, { late: { lateMs: LATE_MS, window: null } });
      await replica.query(kind === 'mariadb' ? 'STOP SLAVE' : 'STOP REPLICA');
      const stopped = await receiver.next('replica', 'raised', DEADLINE_MS);
      assert.equal(stopped.title, 'The replica that is read does not replicate');
      await replicate(replica, primary, 0);
      await receiver.next('replica', 'recovered', DEADLINE_MS);
      assert.deepEqual(receiver.news(), ['replica raised', 'replica recovered']);
      await replicate(replica, primary, 12);
      const late = await receiver.next('replica', 'raised', DEADLINE_MS);
      assert.match(late.title, /^The replica that is read is \d+ s behind$/);
      await replicate(replica, primary, 0);
      await receiver.next('replica', 'recovered', DEADLINE_MS);
      assert.deepEqual(receiver.news(), ['replica raised', 'replica recovered']);
      load.assertGoing();
    });
  }

  it('a consumer that stands still, and binlog that is purged before it is read', {
    timeout: 300_000,
  }, async test => {
    await using server = await requireServer(test, 'mariadb');
    if (server === null) return;
    // It keeps an hour.
    await server.query('SET GLOBAL binlog_expire_logs_seconds = 3600');
    await createSignalTables(sql => server.query(sql));
    await server.query(`CREATE DATABASE ${PROBE_SCHEMA}`);
    await using receiver = await startAlarmReceiver();
    await using load = await startSteadyLoad(server, 'load_1');
    const { line, way } = await startSlowLine({
      server,
      ds: 'causes',
      schemas: ['load_1'],
      heartbeat: {},
    });
    await using _line = line;
    await line.drained();
    const topic = 'causes.load_1.result';
    // A reader that has read the beginning of each partition, and then does nothing.
    await using reader = await line.log.join({
      group: 'reports',
      topics: [topic],
      member: 'test',
      listener: { assigned: () => {}, revoking: () => {}, lost: () => {} },
    });
    const read = async (signal: AbortSignal): Promise<number> => {
      const batches = await reader.poll({ maxBytes: 1024 * 1024, maxWaitMs: 100 }, signal);
      const offsets = batches.map(({ partition, nextOffset }) => ({
        topic,
        partition,
        offset: nextOffset,
        metadata: '',
      }));
      if (offsets.length > 0) await reader.commit({ outputs: [], offsets });
      return batches.length;
    };
    await until('the reader to have begun', async () => (await read(test.signal)) > 0);
    await using _ = await watchLine(line, receiver, {
      late: { lateMs: LATE_MS, window: null },
      consumers: ['rep*'],
      purgeMs: 2 * 3_600_000,
    });
    const idle = await receiver.next('consumer', 'raised', DEADLINE_MS);
    assert.match(idle.title, /^The consumer group reports is \d+ s late$/);
    const stop = new AbortController();
    using _stop = { [Symbol.dispose]: () => stop.abort() };
    const going = (async () => {
      while (!stop.signal.aborted) await read(stop.signal);
    })();
    await receiver.next('consumer', 'recovered', DEADLINE_MS);
    assert.deepEqual(receiver.news(), ['consumer raised', 'consumer recovered']);

    way.slow('umbus.causes.mysql-extractor', 100);
    const purge = await receiver.next('source', 'raised', DEADLINE_MS);
    assert.match(purge.title, /^The source purges binlog that is not read yet in (59 min|60 min|1 h)/);
    await receiver.next('extractor', 'raised', DEADLINE_MS);
    way.slow(null);
    await receiver.next('source', 'recovered', DEADLINE_MS);
    await receiver.next('extractor', 'recovered', DEADLINE_MS);
    assert.deepEqual([...receiver.news()].sort(), [
      'extractor raised',
      'extractor recovered',
      'source raised',
      'source recovered',
    ]);
    stop.abort();
    await going;
    await load.stop();
  });
});
