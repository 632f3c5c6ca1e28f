import type { TopologyDefinition } from '../topology/definition.ts';
import type { Driver, DriverOptions, DriverPart } from './driver-types.ts';
import { Simulation } from './simulation.ts';

/** A driver for one topology, or for several over one log. Instances start with the first step. */
export function createDriver<C>(
  definition: TopologyDefinition<C>,
  config: C,
  options?: DriverOptions,
): Driver;
export function createDriver(parts: readonly DriverPart[], options?: DriverOptions): Driver;
export function createDriver(
  first: TopologyDefinition<unknown> | readonly DriverPart[],
  second?: unknown,
  third?: DriverOptions,
): Driver {
  if ('definition' in first || 'build' in first) {
    return new Simulation(
      [{ definition: first as TopologyDefinition<unknown>, config: second }],
      third ?? {},
    );
  }
  // The overloads fix what the second argument is.
  return new Simulation(first, (second as DriverOptions | undefined) ?? {});
}
