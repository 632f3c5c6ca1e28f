/**
 * Latency of an idle line, in a process of its own: `latency.ts LINE SAMPLES`, LINE being JSON. One row at a time is committed on a quiet server; its age when
 * a consumer of the result topic has it is the latency. Prints p50, p99 and the count as JSON, in milliseconds.
 */
import { connectSql } from '../src/adapters/mysql/connect.ts';
import { createMysqlSource } from '../src/adapters/mysql/index.ts';
import { systemClock } from '../src/adapters/system-clock.ts';
import { rows } from '../src/consumer/rows.ts';
import { subscribe } from '../src/consumer/subscribe.ts';
import { startTopology } from '../src/runtime/start.ts';
import { LOAD_SCHEMA } from '../test/support/load.ts';
import { lineTopologies } from '../topologies/index.ts';
import { type BenchLineOptions, benchLine, openBenchLog } from './bench-line.ts';
import { quantile } from './measure.ts';

const [options = '', samples = '500'] = process.argv.slice(2);
const GAP_MS = 20;
/** The first rows meet code that is not compiled yet. */
const WARM_UP = 50;

// Written by the benchmark that runs this.
const line = benchLine(JSON.parse(options) as BenchLineOptions, 'now');
const topic = `${line.ds}.${LOAD_SCHEMA}.result`;
await using session = await connectSql(line.source);
await session.query(`USE ${LOAD_SCHEMA}`);
await session.query(
  'CREATE TABLE IF NOT EXISTS pulse (id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, at DATETIME(6) NOT NULL)',
);
const log = await openBenchLog(line);
const topologies = lineTopologies(line, { source: createMysqlSource(line.source) }).map(
  ({ definition, config }) =>
    startTopology(definition, config, { log, clock: systemClock, instance: line.ds }),
);
while (!(await log.topics()).some(({ name }) => name === topic)) await systemClock.sleep(GAP_MS);

const latencies: number[] = [];
const stop = new AbortController();
const reading = (async () => {
  for await (const { message } of subscribe({ log, topics: [topic], signal: stop.signal })) {
    const now = systemClock.now();
    for (const row of rows(message)) {
      const text = String(row.values['at']);
      const committed =
        Date.parse(`${text.slice(0, 10)}T${text.slice(11, 23)}Z`) + Number(text.slice(23)) / 1000;
      latencies.push(now - committed);
    }
    if (latencies.length >= Number(samples) + WARM_UP) return;
  }
})();
let finished = false;
const ended = reading.then(() => {
  finished = true;
});
while (!finished) {
  await session.query('INSERT INTO pulse (at) VALUES (UTC_TIMESTAMP(6))');
  await systemClock.sleep(GAP_MS);
}
await ended;
stop.abort();
await Promise.all(topologies.map(topology => topology.stop()));
await log[Symbol.asyncDispose]();
const counted = latencies.slice(WARM_UP);
console.log(
  JSON.stringify({ p50: quantile(counted, 0.5), p99: quantile(counted, 0.99), samples: counted.length }),
);
