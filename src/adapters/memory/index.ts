export { createMemoryCoordination, type MemoryCoordinationWorld } from './memory-coordination.ts';
export {
  type CommitAttempt,
  type CommitStage,
  createMemoryLog,
  type MemoryFaults,
  type MemoryLog,
  type MemoryLogOptions,
} from './memory-log.ts';
export { createMemoryRegistry, type MemoryRegistry } from './memory-registry.ts';
