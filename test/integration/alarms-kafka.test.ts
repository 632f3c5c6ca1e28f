import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { startAlarmReceiver } from '../support/alarm-receiver.ts';
import { umbus } from '../support/cli/umbus.ts';
import { kafkaLineText } from '../support/kafka-line-file.ts';
import { LineProcess } from '../support/line-process.ts';
import { requireKafka, requireServer } from '../support/servers.ts';
import { startSteadyLoad } from '../support/steady-load.ts';
import { until } from '../support/until.ts';

const dir = mkdtempSync(join(tmpdir(), 'umbus-alarms-kafka-'));
after(() => rmSync(dir, { recursive: true, force: true }));

const DEADLINE_MS = 90_000;

describe('alarms of a line whose hops run in processes of their own', () => {
  it('name the hop that hangs or is killed, once, and say when it is over', {
    timeout: 600_000,
  }, async test => {
    await using server = await requireServer(test, 'mariadb');
    if (server === null) return;
    await using kafka = await requireKafka(test);
    if (kafka === null) return;
    await using receiver = await startAlarmReceiver();
    const file = join(dir, 'hops.yaml');
    const text = kafkaLineText({
      server,
      ds: 'hops',
      schemas: ['load_1'],
      kafka: { brokers: kafka.bootstrap, guarantee: 'effectively-once' },
      partitions: 2,
    });
    writeFileSync(
      file,
      `${text}alarms: { webhooks: { hook: { url: "${receiver.url}" } }, every: 1s, late: 6s, clear: 3s }\n`,
    );
    await using load = await startSteadyLoad(server, 'load_1', 50);
    await using stack = new AsyncDisposableStack();
    const processes = ['mysql-extractor', 'dispatcher', 'appender'].map(topology =>
      stack.use(new LineProcess(topology, file, [topology])),
    );
    for (const each of processes) each.start();
    for (const each of processes) await each.tells(/Topology is running/, DEADLINE_MS);
    await Promise.any(processes.map(each => each.tells(/Watches the line for alarms/, DEADLINE_MS)));
    // What was late while they started is over.
    const calm = async (): Promise<void> => {
      const open = new Set<string>();
      for (const { id, state } of receiver.alarms) state === 'raised' ? open.add(id) : open.delete(id);
      for (const id of open) await receiver.next(id.replace(/^hops:/, ''), 'recovered', DEADLINE_MS);
      receiver.news();
    };
    await calm();
    const settled = async (): Promise<void> =>
      await until('what was told to be handed over', async () => {
        const { out } = await umbus(['alarms', '--line', file, '--json']);
        return out !== '' && JSON.parse(out).onTheirWay === 0;
      });

    // Each hangs, and is killed then: one fault. The dispatcher hangs again below, and goes on by itself.
    for (const hop of processes) {
      const where = hop.name.replace('mysql-', '');
      await settled();
      hop.hang('SIGSTOP');
      await receiver.next(where, 'raised', DEADLINE_MS);
      await hop.end('SIGKILL');
      hop.start();
      await receiver.next(where, 'recovered', DEADLINE_MS);
      assert.deepEqual(receiver.news(), [`${where} raised`, `${where} recovered`]);
      load.assertGoing();
    }
    // Whoever watches dies while a fault lasts: its successor neither tells it again nor forgets to tell its end.
    await settled();
    const dispatcher = processes.find(({ name }) => name === 'dispatcher');
    dispatcher?.hang('SIGSTOP');
    await receiver.next('dispatcher', 'raised', DEADLINE_MS);
    await settled();
    const watcher = async (): Promise<string> => {
      const { out } = await umbus(['alarms', '--line', file, '--json']);
      return String(out === '' ? '' : JSON.parse(out).watchedBy);
    };
    const first = await watcher();
    const leader = processes.find(({ pid }) => first.endsWith(`-${pid}`));
    assert.ok(leader !== undefined && leader !== dispatcher, first);
    await leader.end('SIGKILL');
    leader.start();
    await until('another to watch', async () => !['', 'null', first].includes(await watcher()), DEADLINE_MS);
    dispatcher?.hang('SIGCONT');
    await receiver.next('dispatcher', 'recovered', DEADLINE_MS);
    const ofDispatcher = receiver.news().filter(told => told.startsWith('dispatcher'));
    assert.deepEqual(ofDispatcher, ['dispatcher raised', 'dispatcher recovered']);
    await load.stop();
    for (const each of processes) await each.stop();
  });
});
