/**
 * The library: define topologies, describe them, run them on a log.
 *
 *     import { defineTopology, openEmbeddedLog, startTopology, systemClock, topic, trusted, utf8 } from 'umbus';
 *
 * What is exported here is the public interface; everything else may change in any version.
 */
export { type EmbeddedLog, type EmbeddedLogOptions, openEmbeddedLog } from './adapters/embedded/index.ts';
export { systemClock } from './adapters/system-clock.ts';
export { type ErrorCode, type ErrorDetails, errorTable, isUmbusError, UmbusError } from './core/errors.ts';
export type { Clock } from './ports/clock.ts';
export type { ConfigCells } from './ports/config-cells.ts';
export type {
  CellChange,
  Coordination,
  Lease,
  LeaseHolder,
  Member,
  Versioned,
} from './ports/coordination.ts';
export type {
  Commit,
  CommittedOffset,
  Headers,
  Log,
  LogRecord,
  Membership,
  OutgoingRecord,
  RecordBatch,
  TopicPartition,
  TopicSpec,
  Writer,
} from './ports/log.ts';
export type { Counts } from './runtime/counts.ts';
export type { RecordPlace, TopologyEvents } from './runtime/events.ts';
export { createMemoryCells, type MemoryCells } from './runtime/memory-cells.ts';
export type { ExternalSnapshot, InputSnapshot, TaskSnapshot, TopologySnapshot } from './runtime/snapshot.ts';
export { groupNameOf, type RunningTopology, type StartOptions, startTopology } from './runtime/start.ts';
export type { TopologyState } from './runtime/state.ts';
export {
  type CommitOptions,
  type ConfigSchema,
  defineTopology,
  type ErrorPolicies,
  type Guarantee,
  isTopology,
  type TopologyDefinition,
  type TopologyOptions,
  trusted,
} from './topology/definition.ts';
export {
  describe,
  describeTopology,
  type StageDescription,
  type TopologyDescription,
} from './topology/describe.ts';
export { bytes, float64, int32, int64, json, noBytes, none, nullable, utf8 } from './topology/serdes.ts';
export type {
  AsyncOptions,
  Branches,
  Builder,
  ConfigCell,
  ControlContext,
  Destination,
  SinkOptions,
  SourceOptions,
  Stream,
  TopicShape,
  WritableTopic,
} from './topology/stream.ts';
export { store, type TopicOptions, topic } from './topology/topic.ts';
export type {
  Emit,
  EmitOptions,
  ExternalConnection,
  ExternalSource,
  OnError,
  Processor,
  ProcessorContext,
  Rec,
  Serde,
  Store,
  StoreDef,
  StoreDefs,
  Topic,
} from './topology/types.ts';
