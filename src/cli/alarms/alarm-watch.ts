import type { AlarmDelivery } from '../../adapters/alarms/index.ts';
import { matcher } from '../../config/table-pattern.ts';
import { isUmbusError } from '../../core/errors.ts';
import type { Alarm } from '../../ports/alarm.ts';
import type { Lease } from '../../ports/coordination.ts';
import { step } from '../../telemetry/alarms/engine.ts';
import type { Observation } from '../../telemetry/alarms/observation.ts';
import type { RuleSettings } from '../../telemetry/alarms/rule-settings.ts';
import { judge } from '../../telemetry/alarms/rules.ts';
import { inForce, isSilenced, type Silence } from '../../telemetry/alarms/silence.ts';
import { type EventLog, errorFields } from '../event-log.ts';
import {
  type AlarmState,
  addToHistory,
  readSilences,
  readState,
  type Stored,
  writeState,
} from './alarm-cells.ts';
import { Observer, type ObserverOptions } from './observer.ts';
import { ruleSettings } from './rule-settings.ts';
import { SchemaAlarms, type SchemaNews } from './schema-alarms.ts';

/** What {@link watchAlarms} needs. */
export interface AlarmWatchOptions extends ObserverOptions {
  /** Name of this process, for others to see. */
  readonly holder: string;
  readonly delivery: AlarmDelivery;
  readonly expected: readonly string[];
  readonly events: EventLog;
}

const LEASE = 'alarms';
const LEASE_MS = 10_000;
const RETRY_MS = 5_000;

/** Watches a line while this process is the one that does, until `signal` aborts; the others stand by. Never rejects: a line runs as well when nobody watches it. */
export async function watchAlarms(options: AlarmWatchOptions, signal: AbortSignal): Promise<void> {
  const { coordination, clock, events, holder } = options;
  while (!signal.aborted) {
    try {
      const lease = await coordination.lease(LEASE, { holder, ttlMs: LEASE_MS, signal });
      try {
        events('info', 'Watches the line for alarms.', {});
        await new AlarmLeader(options, await readState(coordination)).lead(lease, signal);
      } finally {
        await lease.release();
      }
    } catch (error) {
      if (signal.aborted) return;
      events('warn', 'Alarms cannot be watched now; it is tried again.', errorFields(error));
      await clock.sleep(RETRY_MS, signal);
    }
  }
}

class AlarmLeader {
  readonly #options: AlarmWatchOptions;
  readonly #observer: Observer;
  readonly #schemas: SchemaAlarms;
  readonly #settings: RuleSettings;
  /** Alarms given up by each receiver, as it was counted at the last round. */
  #failed = new Map<string, number>();
  /** Ids of alarms that are handed over now. */
  readonly #handingOver = new Set<Alarm>();
  #stored: Stored<AlarmState>;
  /** While coordination does not take the state, alarms go out all the same. */
  #unsaved = false;
  /** Writes come one after the other: each needs the version of the one before. */
  #writing: Promise<void> = Promise.resolve();

  /** `stored`: what the one before has left. */
  constructor(options: AlarmWatchOptions, stored: Stored<AlarmState>) {
    this.#options = options;
    this.#stored = stored;
    this.#observer = new Observer(options);
    this.#schemas = new SchemaAlarms(options);
    this.#settings = ruleSettings(options.line);
  }

  async lead(lease: Lease, signal: AbortSignal): Promise<void> {
    const { coordination, clock } = this.#options;
    const leading = AbortSignal.any([lease.lost, signal]);
    for (const alarm of this.#state.outbox) this.#handOver(alarm);
    let silences: readonly Silence[] = [];
    while (!leading.aborted) {
      silences = await readSilences(coordination).then(
        ({ value }) => value,
        () => silences,
      );
      const seen = await this.#observer.look(this.#options.expected, leading);
      if (leading.aborted) return;
      await this.#round({ ...seen, refused: this.#refused() }, inForce(silences, seen.nowMs), leading);
      await clock.sleep(this.#settings.everyMs, leading);
    }
  }

  /** What changed of the tables since the last look; nothing while the log does not say. */
  async #schemaNews(nowMs: number, silences: readonly Silence[], signal: AbortSignal): Promise<SchemaNews> {
    try {
      const news = await this.#schemas.since(this.#state.schemaNext, nowMs, signal);
      const wanted = news.alarms.filter(
        ({ details }) =>
          !isSilenced({ subject: String(details['table']), where: 'table' }, silences, nowMs, matcher),
      );
      return { ...news, alarms: wanted };
    } catch (error) {
      this.#options.events('warn', 'Changes of tables cannot be looked at now.', errorFields(error));
      return { alarms: [] };
    }
  }

  get #state(): AlarmState {
    return this.#stored.value;
  }

  async #round(seen: Observation, silences: readonly Silence[], leading: AbortSignal): Promise<void> {
    const { line, coordination, events } = this.#options;
    const before = this.#state;
    const changed = await this.#schemaNews(seen.nowMs, silences, leading);
    const active = new Set(Object.keys(before.engine.faults));
    const { faults, memory } = judge(seen, before.memory, active, this.#settings);
    const { state: engine, alarms: told } = step(before.engine, faults, seen.nowMs, {
      line: line.ds,
      clearMs: line.alarms.clearMs,
      repeatMs: line.alarms.repeatMs,
      silenced: (fault, nowMs) => isSilenced(fault, silences, nowMs, matcher),
    });
    const alarms = [...told, ...changed.alarms];
    for (const alarm of alarms) this.#handingOver.add(alarm);
    // Kept before anybody is told: a successor must know what was told.
    await this.#write({ engine, memory, ...(changed.next !== undefined && { schemaNext: changed.next }) });
    for (const { id, state: change, title, severity } of alarms)
      events(severity === 'info' ? 'info' : 'warn', `Alarm ${change}: ${title}.`, { alarm: id });
    for (const alarm of alarms) this.#handOver(alarm);
    if (alarms.length > 0 && !this.#unsaved) await addToHistory(coordination, alarms);
  }

  /** Gives the version that was written; the one before when coordination is away, whose state of affairs this process then keeps in memory. */
  async #save(state: AlarmState, version: bigint): Promise<bigint> {
    const { coordination, events } = this.#options;
    try {
      const written = await writeState(coordination, state, version);
      this.#unsaved = false;
      return written;
    } catch (error) {
      // Another process has written: it leads now.
      if (isUmbusError(error, 'UMBUS_COORDINATION_CONFLICT')) throw error;
      if (!this.#unsaved) events('warn', 'What alarms remember cannot be stored.', errorFields(error));
      this.#unsaved = true;
      return version;
    }
  }

  /** Hands an alarm over, and forgets at once that it was on its way: a successor need not send it again. */
  #handOver(alarm: Alarm): void {
    this.#handingOver.add(alarm);
    const handed = async (): Promise<void> => {
      await this.#options.delivery.deliver(alarm);
      this.#handingOver.delete(alarm);
      // Another process leads now: it has sent it, or will.
      await this.#write({}).catch(() => {});
    };
    void handed();
  }

  /** Writes what is known, changed as given, after the writes before it. Rejects when another process has written. */
  #write(change: Partial<AlarmState>): Promise<void> {
    const write = async (): Promise<void> => {
      const state: AlarmState = { ...this.#state, ...change, outbox: [...this.#handingOver] };
      this.#stored = { value: state, version: await this.#save(state, this.#stored.version) };
    };
    const writing = this.#writing.then(write);
    this.#writing = writing.catch(() => {});
    return writing;
  }

  #refused(): Readonly<Record<string, number>> {
    const refused: Record<string, number> = {};
    for (const { sink, failed, dropped } of this.#options.delivery.counts()) {
      const count = failed + dropped;
      refused[sink] = count - (this.#failed.get(sink) ?? count);
      this.#failed.set(sink, count);
    }
    return refused;
  }
}
