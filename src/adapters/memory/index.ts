export {
  type CommitAttempt,
  type CommitStage,
  createMemoryLog,
  type MemoryFaults,
  type MemoryLog,
  type MemoryLogOptions,
} from './memory-log.ts';
