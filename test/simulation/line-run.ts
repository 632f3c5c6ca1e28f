import { LANE_HEADER } from '../../src/runtime/outputs.ts';
import type { Driver, Random } from '../../src/testing/index.ts';
import { recordsOf } from '../../src/testing/topic-view.ts';
import type { CommitWatch } from './commit-watch.ts';
import { type LineWorld, worldOf } from './line-world.ts';
import { noFaults } from './model-source.ts';

/** Lets the server work and the line read, while whatever can go wrong does. At the end all that the server did is visible and the source works again. */
export async function runLine(driver: Driver, random: Random, watch: CommitWatch): Promise<void> {
  const world = worldOf(driver);
  const { source } = world;
  while (!source.complete) {
    source.commit(1 + random.below(4));
    if (random.chance(0.15)) source.cut();
    if (random.chance(0.15)) source.beat();
    if (random.chance(0.25)) duplicate(world, random);
    if (random.chance(0.1)) changeInstances(driver, random);
    if (random.chance(0.05)) await driver.advance('12s');
    else if (random.chance(0.3)) await driver.settle();
    else {
      for (let steps = random.below(40); steps > 0; steps -= 1) {
        await driver.step();
        await watch.check();
      }
    }
  }
  source.faults = noFaults;
}

/** Writes a record of an inner topic once more, as a producer does whose acknowledgement was lost: one of the last, or any. */
function duplicate({ driver, scenario, duplicated }: LineWorld, random: Random): void {
  const { ds, schemas, topics } = scenario.line;
  const schema = random.pick(Object.keys(schemas)) ?? '';
  const place = random.chance(0.4)
    ? { topic: ds, partition: 0 }
    : { topic: `${ds}.${schema}`, partition: random.below(topics.partitions) };
  const known = recordsOf(driver.log, place.topic, place.partition).filter(
    ({ headers }) => headers[LANE_HEADER] !== undefined,
  );
  const record = random.pick(random.chance(0.5) ? known.slice(-4) : known);
  if (record === undefined) return;
  driver.log.duplicate(place, record.offset);
  duplicated.set(place.topic, (duplicated.get(place.topic) ?? 0) + 1);
}

/** Starts one more appender, or moves partitions among those that there are. */
function changeInstances(driver: Driver, random: Random): void {
  const appenders = driver.instances.filter(({ topology }) => topology.definition.name === 'appender');
  if (appenders.length < 3 && random.chance(0.5)) driver.join('appender');
  else driver.rebalance(random.pick(['appender', 'dispatcher']));
}
