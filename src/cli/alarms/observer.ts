import { PullCells } from '../../adapters/pull/pull-cells.ts';
import type { Line } from '../../config/line.ts';
import { matcher } from '../../config/table-pattern.ts';
import { messageOf } from '../../core/errors.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Coordination } from '../../ports/coordination.ts';
import type { Log, TopicDescription } from '../../ports/log.ts';
import type { TableState } from '../../stages/append.ts';
import { offsetOf } from '../../stages/extract-space.ts';
import type { LogSeen, Observation, SourceSeen, TableSeen } from '../../telemetry/alarms/observation.ts';
import { BeatingTables } from '../heartbeat/beating-tables.ts';
import { HeldTables } from '../pull/held-tables.ts';
import { watchedPulls } from '../pull/watched-pulls.ts';
import { bytesBetween } from '../status/lag.ts';
import { newestRun, topicsOf } from '../status/read-log.ts';
import { BeatFollower } from './beat-follower.ts';
import { groupLags } from './group-lags.ts';

/** What is looked at. */
export interface ObserverOptions {
  readonly line: Line;
  readonly log: Log;
  readonly coordination: Coordination;
  readonly clock: Clock;
}

/** A source that does not answer for so long is not reachable. */
const SOURCE_MS = 10_000;

/** Looks at a line from outside, round after round. */
export class Observer {
  readonly #options: ObserverOptions;
  readonly #tables = new Map<string, TableSeen>();
  readonly #beating: BeatingTables;
  readonly #watched: (group: string) => boolean;
  readonly #held: HeldTables;
  readonly #cells: PullCells;
  /** Null for a line that does not beat. */
  readonly #beats: BeatFollower | null;

  constructor(options: ObserverOptions) {
    this.#options = options;
    const { line, log, clock, coordination } = options;
    this.#held = new HeldTables(log, line.ds);
    this.#cells = new PullCells(coordination, line.ds);
    this.#beating = new BeatingTables(log, line, (table, state) => this.#table(table, state));
    this.#watched = matcher(line.alarms.consumers);
    this.#beats = line.heartbeat === null ? null : new BeatFollower(log, line.ds, clock.now());
  }

  /** One look. `expected`: topologies that should run. Never rejects: what does not answer is a part of what is seen. */
  async look(expected: readonly string[], signal: AbortSignal): Promise<Omit<Observation, 'refused'>> {
    const { clock } = this.#options;
    const [log, source, running, pulls] = await Promise.all([
      this.#log(signal).catch((error: unknown) => ({ problem: messageOf(error) })),
      this.#source(signal),
      this.#running(),
      // As with those that run.
      watchedPulls(this.#cells, clock.now()).catch(() => null),
    ]);
    const landed = 'problem' in log ? null : log.landed;
    return {
      nowMs: clock.now(),
      source: source.reachable ? { ...source, ...behind(source, landed) } : source,
      log: 'problem' in log ? null : log,
      logProblem: 'problem' in log ? log.problem : null,
      running,
      expected,
      pulls,
    };
  }

  async #log(signal: AbortSignal): Promise<LogSeen> {
    const { line, log } = this.#options;
    const all = await log.topics();
    const topics = topicsOf(line, all);
    await this.#beats?.follow(all, signal);
    await this.#beating.follow(topics, signal);
    await this.#held.follow(topics, signal);
    const landed = await this.#landed(topics);
    const place = landed === null ? null : { ...landed, writtenMs: landed.capturedMs };
    return {
      landed,
      lags: await groupLags(log, line.ds, topics, this.#watched, signal),
      tables: [...this.#tables.values()],
      held: this.#held.tables.map(held => ({
        ...held,
        table: this.#beating.called(held.table),
        mostBytes: line.pull.heldBytes,
      })),
      heartbeat: this.#heartbeat(),
      space: await this.#space(topics),
      purge: this.#beats?.horizon(place) ?? null,
    };
  }

  async #landed(topics: readonly TopicDescription[]): Promise<LogSeen['landed']> {
    const { log, line } = this.#options;
    const run = await newestRun(log, topics, line.ds);
    if (run === null) return null;
    return { file: run.file, position: offsetOf(run.next), capturedMs: run.captured / 1000 };
  }

  #table(table: string, state: TableState | null): void {
    if (state === null) {
      this.#tables.delete(table);
      return;
    }
    const { parked } = state;
    const seen = parked === null ? null : { code: parked.code, events: parked.events, since: parked.since };
    this.#tables.set(table, { table, parked: seen });
  }

  /** The heartbeats without those of tables that were dropped, or have another name now: no more of these come. */
  #heartbeat(): LogSeen['heartbeat'] {
    const { heartbeat } = this.#options.line;
    if (this.#beats === null || heartbeat === null) return null;
    const { seen } = this.#beats;
    const { every } = heartbeat;
    const { has } = this.#beating;
    return {
      ...seen,
      // Seen distances have outages in them.
      gapMs: every.kind === 'interval' ? every.ms : seen.gapMs,
      tables: seen.tables.filter(({ table }) => has(table)),
    };
  }

  async #space(topics: readonly TopicDescription[]): Promise<LogSeen['space']> {
    const { log } = this.#options.line;
    if (log.kind !== 'embedded') return { usedBytes: null, maxBytes: null, diskFreeBytes: null };
    const { diskFreeBytes } = await import('../../adapters/telemetry/disk-space.ts');
    const sizes = topics.flatMap(({ extents }) => extents.map(({ bytes }) => bytes ?? 0));
    return {
      usedBytes: sizes.reduce((sum, bytes) => sum + bytes, 0),
      maxBytes: log.maxBytes,
      diskFreeBytes: await diskFreeBytes(log.dir),
    };
  }

  async #source(signal: AbortSignal): Promise<SourceAsked> {
    const { line, clock } = this.#options;
    const { sourceStatus } = await import('../../adapters/mysql/index.ts');
    const { sourceAbsent } = await import('../status/source-lag.ts');
    const given = new AbortController();
    const late = clock.sleep(SOURCE_MS, given.signal).then(() => given.abort());
    try {
      const { file, position, binlogs, replica } = await sourceStatus(
        line.source,
        AbortSignal.any([signal, given.signal]),
      );
      return { reachable: true, file, position, replica, binlogs };
    } catch (error) {
      const absent = sourceAbsent(error);
      if (!absent.reachable) return absent;
      throw error;
    } finally {
      given.abort();
      await late;
    }
  }

  async #running(): Promise<ReadonlySet<string> | null> {
    const { coordination, line } = this.#options;
    try {
      const members = await coordination.members();
      // As `presence` names them: <instance>/<member>/<topology>.
      const own = members.filter(({ id }) => id.startsWith(`${line.ds}/`));
      return new Set(own.map(({ id }) => id.slice(id.lastIndexOf('/') + 1)));
    } catch {
      // Whoever needs coordination to work tells; here it is only not known.
      return null;
    }
  }
}

type Answered = Extract<SourceSeen, { reachable: true }>;
type SourceAsked =
  | (Omit<Answered, 'lagBytes' | 'positionGone'> & {
      readonly binlogs: readonly { readonly name: string; readonly sizeBytes: number }[];
    })
  | Extract<SourceSeen, { reachable: false }>;

function behind(
  source: Extract<SourceAsked, { reachable: true }>,
  landed: LogSeen['landed'],
): Pick<Answered, 'lagBytes' | 'positionGone'> {
  if (landed === null) return { lagBytes: null, positionGone: false };
  const { binlogs } = source;
  return {
    lagBytes: bytesBetween(binlogs, landed, source),
    positionGone: !binlogs.some(({ name }) => name === landed.file),
  };
}
