import { createWriteStream } from 'node:fs';
import { relative } from 'node:path';
import { connectSql, type SqlSession } from '../../adapters/mysql/connect.ts';
import { systemClock } from '../../adapters/system-clock.ts';
import { subscribe } from '../../consumer/subscribe.ts';
import type { Log } from '../../ports/log.ts';
import type { DatabaseServer } from '../demo-server/database-server.ts';
import { startMariadb } from '../demo-server/mariadb.ts';
import { drainedTo } from '../drained.ts';
import { errorText } from '../error-text.ts';
import { createEventLog } from '../event-log.ts';
import { exitCodeOf } from '../exit-codes.ts';
import { logPlace, openLineLog } from '../open-line.ts';
import { runTopologies } from '../run/run-topologies.ts';
import { processTerminal, type Terminal } from '../terminal.ts';
import { compareWithSource } from './compare.ts';
import { type DemoLine, demoTopologies, writeDemoLine } from './demo-line.ts';
import { createMeter, type Meter } from './meter.ts';
import { type QuickstartOptions, quickstartHelp, quickstartOptions } from './options.ts';
import { createShop, type Execute, keepShop, pulse, SHOP_SCHEMA } from './shop.ts';
import { progressLine, screen } from './view.ts';

const PULSE_MS = 50;
const DRAIN_DEADLINE_MS = 60_000;
/** Larger than any pulse sent before it. */
const LAST_PULSE = 1_000_000_000;
const resultTopic = `shop.${SHOP_SCHEMA}.result`;

const executeOn =
  (session: Pick<SqlSession, 'query'>): Execute =>
  async (sql, values) => {
    const [row] = await session.query(sql, values ?? []);
    return row === undefined ? undefined : Object.values(row)[0];
  };

/** Changes the shop and sends pulses until `signal` aborts; resolves when the last statement was answered. */
async function keepBusy(server: DatabaseServer, once: boolean, signal: AbortSignal): Promise<void> {
  const login = {
    host: server.host,
    port: server.port,
    user: server.user,
    password: server.password,
    tls: null,
  };
  const pause = (ms: number): Promise<void> => systemClock.sleep(ms, signal);
  const shop = async (): Promise<void> => {
    await using session = await connectSql(login);
    await session.query(`USE ${SHOP_SCHEMA}`);
    await keepShop(executeOn(session), { pauseMs: 4, deedsPerAlteration: once ? 150 : 1500, pause }, signal);
  };
  const beat = async (): Promise<void> => {
    await using session = await connectSql(login);
    for (let id = 1; !signal.aborted; id++) {
      await pulse(executeOn(session), id);
      await pause(PULSE_MS);
    }
  };
  await Promise.all([shop(), beat()]);
}

/** Feeds the meter with what arrives, until `signal` aborts. */
async function listen(log: Log, meter: Meter, signal: AbortSignal): Promise<void> {
  while (!(await log.topics()).some(topic => topic.name === resultTopic)) {
    await systemClock.sleep(20, signal);
    if (signal.aborted) return;
  }
  for await (const { message } of subscribe({ log, topics: [resultTopic], signal })) {
    meter.take(message, systemClock.now());
  }
}

/** Redraws the screen, or writes a line now and then, until `signal` aborts. */
async function show(
  meter: Meter,
  demo: DemoLine,
  server: DatabaseServer,
  terminal: Terminal,
  signal: AbortSignal,
): Promise<void> {
  const startMs = systemClock.now();
  const places = {
    server: `MariaDB ${server.version} at ${server.host}:${server.port}`,
    lineFile: relative('.', demo.file),
    logDir: demo.line.log.kind === 'embedded' ? relative('.', demo.line.log.dir) : logPlace(demo.line),
  };
  const columns = terminal.columns;
  while (!signal.aborted) {
    await systemClock.sleep(columns === null ? 2_000 : 500, signal);
    const now = systemClock.now();
    const seconds = (now - startMs) / 1000;
    const reading = meter.read(now);
    if (columns === null) await terminal.write(`${progressLine(reading, seconds)}\n`);
    else {
      const lines = screen(reading, places, seconds, columns, (style, text) => terminal.paint(style, text));
      // Home, each line with what follows cleared, then everything below cleared: no flicker.
      await terminal.write(`\x1b[H${lines.map(line => `${line}\x1b[K\n`).join('')}\x1b[J`);
    }
  }
}

/** Waits until all that was committed has come out, then compares; the number of differences. */
async function verify(demo: DemoLine, log: Log, meter: Meter, terminal: Terminal): Promise<number> {
  await using session = await connectSql(demo.line.source);
  const [end] = await session.query('SHOW MASTER STATUS');
  const place = { file: String(end?.['File']), position: Number(end?.['Position']) };
  // One more change after that place shows that the extractor has passed it.
  await pulse(executeOn(session), LAST_PULSE);
  const deadline = systemClock.now() + DRAIN_DEADLINE_MS;
  const drained = async (): Promise<boolean> =>
    meter.lastPulse === LAST_PULSE && (await drainedTo(log, demo.line, place));
  while (!(await drained()) && systemClock.now() < deadline) await systemClock.sleep(20);
  const compared = await compareWithSource({
    log,
    resultTopics: [resultTopic],
    schemas: [SHOP_SCHEMA],
    session,
  });
  for (const example of compared.examples) terminal.tell(example);
  const { latency, startMs } = meter.read(systemClock.now());
  const delay =
    latency === null ? '' : `, p50 ${latency.p50.toFixed(1)} ms, p99 ${latency.p99.toFixed(1)} ms`;
  const start = startMs === null ? '' : `, once the line had started, which took ${Math.round(startMs)} ms`;
  await terminal.write(
    `quickstart: ${compared.rows} rows in ${compared.messages} messages, ${compared.differences} differences${delay}${start}\n`,
  );
  return compared.differences;
}

/** Where the log shall be: null for the embedded one. A broker of our own goes when this is disposed. */
async function brokersOf(
  { kafka }: QuickstartOptions,
  tell: (line: string) => void,
): Promise<AsyncDisposable & { readonly bootstrap: readonly string[] | null }> {
  if (kafka === 'own') {
    tell('Starting a Kafka broker of our own.');
    const { startKafka } = await import('../demo-server/kafka.ts');
    return await startKafka({ progress: tell });
  }
  return { bootstrap: kafka === false ? null : kafka, async [Symbol.asyncDispose]() {} };
}

async function quickstart(options: QuickstartOptions, terminal: Terminal): Promise<number> {
  const tell = (line: string): void => terminal.tell(line);
  await using brokers = await brokersOf(options, tell);
  tell('Starting a MariaDB of our own.');
  await using server = await startMariadb({ progress: tell });
  await createShop(executeOn(server));
  const demo = await writeDemoLine(options.dir, server, brokers.bootstrap);
  const meter = createMeter(systemClock.now());
  const finished = new AbortController();
  const stopLoad = new AbortController();
  const stopLine = new AbortController();
  await using log = await openLineLog(demo.line, 'owner');
  await using eventFile = createWriteStream(demo.eventFile);
  const running = runTopologies(await demoTopologies(demo.line), {
    log,
    clock: systemClock,
    instance: demo.line.ds,
    member: 'quickstart',
    events: createEventLog('text', systemClock, text => eventFile.write(`${text}\n`)),
    stopping: stopLine.signal,
  });
  const loadEnd = AbortSignal.any([stopLoad.signal, terminal.stopping]);
  const load = keepBusy(server, options.once, loadEnd);
  const listening = listen(log, meter, finished.signal);
  const showing = options.once ? Promise.resolve() : show(meter, demo, server, terminal, finished.signal);
  let differences = 0;
  try {
    const stopped = options.once
      ? systemClock.sleep(options.seconds * 1000, terminal.stopping)
      : aborted(terminal.stopping);
    await Promise.race([stopped, running, load, listening]);
    stopLoad.abort();
    await load;
    if (options.once && !terminal.stopping.aborted) differences = await verify(demo, log, meter, terminal);
  } finally {
    for (const end of [stopLoad, finished, stopLine]) end.abort();
    await Promise.allSettled([load, listening, showing, running]);
  }
  await running;
  if (!options.once) tell('Stopped. Everything that was read is committed; the throw-away servers are gone.');
  return differences;
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

const exit = (code: number): never => process.exit(code);
const terminal = processTerminal(exit);
try {
  const options = quickstartOptions(process.argv.slice(2));
  if (options.help) {
    await terminal.write(`${quickstartHelp}\n`);
    exit(0);
  }
  if (terminal.columns !== null && !options.once) await terminal.write('\x1b[2J\x1b[H');
  exit((await quickstart(options, terminal)) === 0 ? 0 : 1);
} catch (error) {
  terminal.tell(errorText(error));
  exit(exitCodeOf(error));
}
