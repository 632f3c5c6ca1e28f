import { messageOf, UmbusError } from '../core/errors.ts';
import type { Driver } from './driver-types.ts';
import type { FaultRates } from './faults.ts';
import type { Random } from './random.ts';

/** What {@link explore} runs for each seed. */
export interface Exploration {
  /** How many seeds, from 1 on, or which: `from` up to and with `to`. Environment variable UMBUS_SEED runs that one instead. */
  readonly seeds: number | { readonly from: number; readonly to: number };
  /** Makes the driver of a seed. */
  readonly build: (seed: number) => Driver;
  /** Sends what is to be processed, and whatever else is to happen, while faults strike. Default: only settles. */
  readonly run?: (driver: Driver, random: Random) => Promise<void>;
  /** Chances of faults while `run` runs. Without them only the interleaving differs. */
  readonly faults?: FaultRates;
  /** Throws when what must hold does not. Called when all faults are over and all is settled. */
  readonly invariant: (driver: Driver) => void | Promise<void>;
}

/** What an exploration has seen. */
export interface ExplorationResult {
  readonly seeds: number;
  /** Faults that happened, over all seeds. */
  readonly faults: number;
}

/** Faults that the error shows. */
const MAX_SHOWN = 50;

/**
 * Runs a simulation for many seeds. At the first that breaks the invariant, or does not come to rest, it throws UMBUS_INTERNAL with
 * the seed, the faults up to there, and the command that replays it.
 */
export async function explore(exploration: Exploration): Promise<ExplorationResult> {
  const [from, to] = rangeOf(exploration.seeds);
  let faults = 0;
  for (let seed = from; seed <= to; seed += 1) {
    const driver = exploration.build(seed);
    try {
      driver.chaos(exploration.faults ?? {});
      await exploration.run?.(driver, driver.random);
      await driver.settle();
      driver.chaos({});
      await driver.settle();
      await exploration.invariant(driver);
    } catch (cause) {
      throw new UmbusError('UMBUS_INTERNAL', failureText(seed, driver, cause), { cause, details: { seed } });
    }
    faults += driver.faults.length;
  }
  return { seeds: to - from + 1, faults };
}

function rangeOf(seeds: Exploration['seeds']): readonly [number, number] {
  const asked = process.env['UMBUS_SEED'];
  if (asked !== undefined && asked !== '') {
    const seed = Number(asked);
    if (!Number.isSafeInteger(seed))
      throw new UmbusError('UMBUS_USAGE', `UMBUS_SEED is '${asked}', not a whole number.`);
    return [seed, seed];
  }
  return typeof seeds === 'number' ? [1, seeds] : [seeds.from, seeds.to];
}

function failureText(seed: number, driver: Driver, cause: unknown): string {
  const shown = driver.faults.slice(-MAX_SHOWN).map(({ step, what }) => `  step ${step}: ${what}`);
  const hidden = driver.faults.length - shown.length;
  const script = process.argv[1] ?? 'FILE';
  return [
    `Seed ${seed} fails: ${messageOf(cause)}`,
    `Faults (${driver.faults.length}):`,
    ...(hidden > 0 ? [`  ${hidden} before these`] : []),
    ...(shown.length > 0 ? shown : ['  none']),
    `Replay: UMBUS_SEED=${seed} node --test ${script}`,
  ].join('\n');
}
