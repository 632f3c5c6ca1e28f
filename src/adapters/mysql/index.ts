/** MySQL and MariaDB as a change source, and what is asked of them beside it. */

export { type BeatOptions, createMysqlBeats } from './beat-session.ts';
export { type Check, type ExamineOptions, examine, type Subscription } from './doctor.ts';
export { type ExaminePullsOptions, examinePulls } from './doctor-pulls.ts';
export { inspect, type SourceInspection, type SourceStatus, sourceStatus } from './inspect.ts';
export type { MysqlLogin, MysqlSourceOptions, MysqlTls } from './options.ts';
export { type SampledTable, sampleRows } from './sample-rows.ts';
export { type SignalSetup, setUpSignals } from './signal-setup.ts';
export { createMysqlSource } from './source.ts';
export { sourceClock } from './source-clock.ts';
