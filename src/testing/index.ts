export {
  createMemoryCoordination,
  type MemoryCoordinationWorld,
} from '../adapters/memory/memory-coordination.ts';
export { createMemoryLog, type MemoryLog } from '../adapters/memory/memory-log.ts';
export { createMemoryCells, type MemoryCells } from '../runtime/memory-cells.ts';
export { createDriver } from './driver.ts';
export { type Driver, type DriverOptions, type DriverPart, simulated } from './driver-types.ts';
export { type Exploration, type ExplorationResult, explore } from './explore.ts';
export { type CrashPoint, crashPoints, type Fault, type FaultRates } from './faults.ts';
export type { Instance } from './instance.ts';
export { type Random, seededRandom } from './random.ts';
export {
  headerText,
  type TestInput,
  type TestMessage,
  type TestOutput,
  type TestRecord,
} from './topic-view.ts';
export { VirtualClock } from './virtual-clock.ts';
