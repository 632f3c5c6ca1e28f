/**
 * One measurement in a process of its own: `worker.ts MODE LINE FILE END`. MODE `extractor`: binlog to durable raw records; `line`: binlog
 * to durable UMS through all three topics; `upstream`: without the appender; `appender`: only it. LINE is JSON. Prints seconds, records, CPU seconds and peak anonymous memory as JSON.
 */
import { createMysqlSource } from '../src/adapters/mysql/index.ts';
import { systemClock } from '../src/adapters/system-clock.ts';
import { decodeRawRun } from '../src/change/raw-run.ts';
import { drainedTo } from '../src/cli/drained.ts';
import { startTopology } from '../src/runtime/start.ts';
import { lineTopologies } from '../topologies/index.ts';
import { type BenchLineOptions, benchLine, openBenchLog } from './bench-line.ts';
import { anonymousMegabytes } from './measure.ts';

const [mode = '', options = '', file = '', end = ''] = process.argv.slice(2);
const POLL_MS = 5;
const wanted = new Set(
  {
    extractor: ['mysql-extractor'],
    upstream: ['mysql-extractor', 'dispatcher'],
    appender: ['appender'],
    line: ['mysql-extractor', 'dispatcher', 'appender'],
  }[mode],
);

// Written by the benchmark that runs this.
const line = benchLine(JSON.parse(options) as BenchLineOptions, { file, position: 4 });
const log = await openBenchLog(line);
let peak = 0;
const start = performance.now();
const topologies = lineTopologies(line, { source: createMysqlSource(line.source) })
  .filter(({ name }) => wanted.has(name))
  .map(({ definition, config }) =>
    startTopology(definition, config, { log, clock: systemClock, instance: line.ds }),
  );
const failed = Promise.race(topologies.map(topology => topology.done));

/** Events that land nothing, such as a rotation, may follow the last run. */
const LANDED_SLACK_BYTES = 4096;
const place = { file, position: Number(end) - LANDED_SLACK_BYTES };

async function landed(): Promise<boolean> {
  const [newest] = await log.tail({ topic: line.ds, partition: 0 }, 1);
  if (newest?.value == null) return false;
  const run = decodeRawRun(newest.value);
  return run.file > file || run.next >= place.position;
}

async function untilDone(): Promise<void> {
  const passed = mode === 'upstream' ? { ds: line.ds, schemas: {} } : line;
  const done = mode === 'extractor' ? landed : () => drainedTo(log, passed, place);
  while (!(await log.topics()).some(topic => topic.name === line.ds)) await systemClock.sleep(POLL_MS);
  while (!(await done())) {
    peak = Math.max(peak, anonymousMegabytes());
    await systemClock.sleep(POLL_MS);
  }
}
await Promise.race([untilDone(), failed]);
const seconds = (performance.now() - start) / 1000;
peak = Math.max(peak, anonymousMegabytes());
await Promise.all(topologies.map(topology => topology.stop()));
const records = Number(await log.offset({ topic: line.ds, partition: 0 }, 'latest'));
await log[Symbol.asyncDispose]();
const { user, system } = process.cpuUsage();
console.log(
  JSON.stringify({ seconds, records, cpuSeconds: (user + system) / 1e6, anonymousMegabytes: peak }),
);
