import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Driver, explore, type FaultRates } from '../../src/testing/index.ts';
import { CommitWatch } from './commit-watch.ts';
import { checkLine } from './invariants.ts';
import { runLine } from './line-run.ts';
import { createWorld, type LineWorld, scenarioOf, worldOf } from './line-world.ts';
import type { SourceFaults } from './model-source.ts';

/** A simulation: which seeds, and what is special about it. */
export interface SimulationOptions {
  readonly seeds: { readonly from: number; readonly to: number };
  readonly commitMode: LineWorld['commitMode'];
  /** Whether the rows of one table go bad for a while. */
  readonly spoils?: boolean;
  readonly source?: SourceFaults;
  readonly rates?: FaultRates;
}

const usualRates: FaultRates = { crash: 0.02, zombie: 0.02, rebalance: 0.015, redeliver: 0.03, limit: 25 };
const usualSource: SourceFaults = { unreachable: 0.1, cut: 0.3, damage: 0.2, damageWithin: 30 };

/** Declares the test that runs the seeds; it asserts what `invariants.ts` says of each, and that faults struck at all. */
export function simulate(title: string, options: SimulationOptions): void {
  const { seeds, commitMode, spoils = false, source = usualSource, rates = usualRates } = options;
  test(`${title} keeps every promise: seeds ${seeds.from} to ${seeds.to}`, async () => {
    let mishaps = 0;
    let placedByKey = 0;
    let beats = 0;
    const watches = new WeakMap<Driver, CommitWatch>();
    const watchOf = (driver: Driver): CommitWatch => {
      const watch = watches.get(driver) ?? new CommitWatch(worldOf(driver));
      watches.set(driver, watch);
      return watch;
    };
    const result = await explore({
      seeds,
      build: seed => createWorld(scenarioOf(seed, { spoils }), commitMode, source).driver,
      faults: rates,
      run: (driver, random) => runLine(driver, random, watchOf(driver)),
      invariant: async driver => {
        const world = worldOf(driver);
        await watchOf(driver).check();
        await checkLine(world);
        mishaps += world.source.mishaps;
        beats += world.workload.facts.filter(({ what }) => what.kind === 'beat' && what.own).length;
        const placings = Object.values(world.scenario.line.schemas).map(({ result }) => result.placeBy);
        if (placings.includes('primary-key')) placedByKey += 1;
      },
    });
    // One seed that is replayed need not have all of it.
    if (result.seeds === 1) return;
    assert.ok(result.faults >= result.seeds, `Only ${result.faults} faults in ${result.seeds} seeds.`);
    assert.ok(
      placedByKey > result.seeds / 4,
      `Only ${placedByKey} of ${result.seeds} seeds place rows by key.`,
    );
    assert.ok(beats >= 2 * result.seeds, `Only ${beats} heartbeats in ${result.seeds} seeds.`);
    assert.ok(mishaps >= result.seeds, `Only ${mishaps} mishaps of connections in ${result.seeds} seeds.`);
  });
}
