/** A whole line over a model server: extractor, dispatcher and appender as users run them, in memory. */

import type { Line, ResultSettings } from '../../src/config/line.ts';
import { noMetrics } from '../../src/config/metrics-schema.ts';
import { noBackOff } from '../../src/config/pull-schema.ts';
import { noAlarms } from '../../src/config/resolve-alarms.ts';
import type { StartPoint } from '../../src/ports/change-source.ts';
import {
  createDriver,
  type Driver,
  type FaultRates,
  type Random,
  seededRandom,
  simulated,
} from '../../src/testing/index.ts';
import { lineTopologies } from '../../topologies/index.ts';
import type { BinlogForm } from './binlog-store.ts';
import { ModelSource, noFaults, type SourceFaults } from './model-source.ts';
import { LEFT_OUT, runWorkload, TABLES, type Workload } from './workload.ts';

/** What a seed stands for, besides the interleaving. */
export interface Scenario {
  readonly seed: number;
  readonly line: Line;
  readonly form: BinlogForm;
  /** `schema.table` that cannot be decoded from some event on; null for none. */
  readonly spoiled: string | null;
  readonly units: number;
  /** How many of them the server did before the line was started. */
  readonly unitsBefore: number;
  readonly dispatchers: number;
  readonly appenders: number;
}

/** A scenario in a driver, with what is to be known of it at the end. */
export interface LineWorld {
  readonly scenario: Scenario;
  readonly workload: Workload;
  readonly source: ModelSource;
  readonly driver: Driver;
  readonly commitMode: 'atomic' | 'outputs-first';
  /** Records that were written twice on purpose, by topic. */
  readonly duplicated: Map<string, number>;
}

/** Chances of faults, per step and per connection. */
export interface Faults {
  readonly rates: FaultRates;
  readonly source: SourceFaults;
}

const BEYOND_4_GB = 2 ** 32 - 1500;

/** The scenario of a seed. */
export function scenarioOf(
  seed: number,
  options: { readonly spoils?: boolean; readonly checksum?: boolean } = {},
): Scenario {
  const random = seededRandom(seed ^ 0x5bd1_e995);
  const schemas = random.chance(0.5) ? ['shop'] : ['shop', 'warehouse'];
  const flavor = random.pick(['mysql', 'mariadb'] as const) ?? 'mysql';
  const firstPosition = random.chance(0.08) ? BEYOND_4_GB : 4;
  const form: BinlogForm = {
    flavor,
    checksum: options.checksum ?? random.chance(0.85),
    gtids: random.chance(0.7),
    firstFile: random.pick([1, 9, 99, 999]) ?? 1,
    firstPosition,
  };
  const units = 8 + random.below(22);
  const startsNow = random.chance(0.1);
  return {
    seed,
    form,
    line: lineOf(schemas, startsNow ? 'now' : 'earliest', random, resultOf(seed)),
    spoiled: options.spoils === true ? `${random.pick(schemas) ?? ''}.${random.pick(TABLES) ?? ''}` : null,
    units,
    unitsBefore: startsNow ? random.below(units) : 0,
    dispatchers: 1 + random.below(2),
    appenders: 1 + random.below(3),
  };
}

/** How a seed lays out result topics: half of them by key, some of these with chosen columns, which now and then a table lacks. */
function resultOf(seed: number): ResultSettings {
  const random = seededRandom(seed ^ 0x85eb_ca6b);
  const byKey = random.chance(0.5);
  const partitions = random.chance(byKey ? 0.8 : 0.2) ? 1 + random.below(5) : null;
  const placeColumns = random.pick<Readonly<Record<string, readonly string[]>>>([
    {},
    {},
    { items: ['varchar value'] },
    { notes: ['id'], 'order*': ['decimal value', 'id'] },
  ]);
  return {
    partitions,
    placeBy: byKey ? 'primary-key' : 'table',
    placeColumns: placeColumns ?? {},
    format: 'json',
  };
}

function lineOf(schemas: readonly string[], start: StartPoint, random: Random, result: ResultSettings): Line {
  const marked = (): string[] => (random.chance(0.3) ? [random.pick(TABLES) ?? ''] : []);
  return {
    ds: 'model',
    source: {
      kind: 'mysql',
      host: 'model',
      port: 3306,
      user: 'umbus',
      password: '',
      serverId: 2,
      tls: null,
      start,
    },
    schemas: Object.fromEntries(
      schemas.map(schema => [
        schema,
        {
          tables: ['*'],
          exclude: [LEFT_OUT],
          beforeImage: marked(),
          logical: {},
          initial: 'none' as const,
          masks: [],
          result,
        },
      ]),
    ),
    log: { kind: 'embedded', dir: '', maxBytes: 0 },
    guarantee: 'exactly-once',
    coordination: { kind: 'log' },
    registry: null,
    metrics: noMetrics,
    heartbeat: null,
    pull: { concurrency: 6, backOff: noBackOff, replica: null, heldBytes: 64 * 1024 ** 2 },
    signals: { schema: 'dbus' },
    masking: { keys: {}, timeoutMs: 1_000, directory: '/' },
    topics: { partitions: 1 + random.below(4), retentionMs: null, retentionBytes: null },
    extractor: { runBytes: random.pick([120, 400, 1500, 262_144]) ?? 400 },
    appender: {
      maxRows: random.pick([1, 3, 500]) ?? 3,
      maxBytes: random.pick([900, 3000, 1 << 20]) ?? 3000,
      timeZone: 'UTC',
    },
    alarms: noAlarms,
  };
}

const worlds = new WeakMap<Driver, LineWorld>();

/** The world of a driver that {@link createWorld} made. */
export function worldOf(driver: Driver): LineWorld {
  const world = worlds.get(driver);
  if (world === undefined) throw new Error('The driver has no world.');
  return world;
}

/** Makes a line that is about to read the workload of a scenario. Its source shows nothing yet but what the server began with. */
export function createWorld(
  scenario: Scenario,
  commitMode: LineWorld['commitMode'],
  faults: SourceFaults,
): LineWorld {
  const { seed, line, form, units, spoiled } = scenario;
  const schemas = Object.keys(line.schemas);
  const workload = runWorkload({ seed, form, schemas, units, spoiled });
  const source = new ModelSource(workload.store, seededRandom(seed ^ 0x9e37_79b9), faults);
  source.commit(scenario.unitsBefore);
  const instances = [1, scenario.dispatchers, scenario.appenders];
  const parts = lineTopologies(line, { source }).map(({ definition, config }, i) =>
    simulated(definition, config, instances[i]),
  );
  const driver = createDriver(parts, { seed, commitMode });
  const world = { scenario, workload, source, driver, commitMode, duplicated: new Map<string, number>() };
  worlds.set(driver, world);
  return world;
}

/** The same scenario without any fault from `start` on, run to its end by one instance of each topology. */
export async function runWithoutFaults(scenario: Scenario, start: StartPoint): Promise<LineWorld> {
  const { line } = scenario;
  const undisturbed = {
    ...scenario,
    dispatchers: 1,
    appenders: 1,
    line: { ...line, source: { ...line.source, start } },
  };
  const world = createWorld(undisturbed, 'atomic', noFaults);
  world.source.commit(Number.POSITIVE_INFINITY);
  await world.driver.settle();
  return world;
}
