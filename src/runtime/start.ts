import { assert } from '../core/assert.ts';
import type { Clock } from '../ports/clock.ts';
import type { ConfigCells } from '../ports/config-cells.ts';
import type { Coordination } from '../ports/coordination.ts';
import type { Log } from '../ports/log.ts';
import { buildTopology } from '../topology/build.ts';
import type { TopologyDefinition } from '../topology/definition.ts';
import type { Graph } from '../topology/graph.ts';
import type { StoreDef } from '../topology/types.ts';
import { ConfigBoard } from './config-board.ts';
import { zeroCounts } from './counts.ts';
import { ensureTopicsPatiently } from './ensure-topics-patiently.ts';
import type { TopologyEvents } from './events.ts';
import { externalRunner } from './external-runner.ts';
import { groupRunner } from './group-runner.ts';
import { presence } from './presence.ts';
import type { Runner } from './runner.ts';
import type { TopologySnapshot } from './snapshot.ts';
import { StateMachine, type TopologyState } from './state.ts';

/** What a topology runs on. */
export interface StartOptions {
  readonly log: Log;
  readonly clock: Clock;
  /** Deployment, usually the data source. Part of the group name, so two instances of one topology do not share work. */
  readonly instance: string;
  /** Name of this process in its groups, for status; default `member`. With coordination, no two processes of an instance have the same. */
  readonly member?: string;
  /**
   * Where processes agree who reads an external source: one of them, and the others stand by. Each shows itself there as `<instance>/<member>/<topology>`. Without it,
   * the process that starts last takes the source over and the one before fails.
   */
  readonly coordination?: Coordination;
  /** What this process says of itself to others, such as `host` and `pid`. */
  readonly about?: Readonly<Record<string, string>>;
  readonly events?: TopologyEvents;
  /** Where watched paths live. Needed when the topology watches a path that has no initial value. */
  readonly cells?: ConfigCells;
  /** 0 up to 1, for the jitter of waits between attempts; default Math.random. */
  readonly random?: () => number;
  /** Stops the topology as `stop` does. */
  readonly signal?: AbortSignal;
}

/** A topology at work in this process. */
export interface RunningTopology {
  readonly name: string;
  /** Consumer group, id of the fenced writer, and prefix of changelog topics: `umbus.<instance>.<topology>`. */
  readonly group: string;
  readonly state: TopologyState;
  /** Resolves when it has stopped; rejects with the error that made it fail. One of `done` and `events.failed` is to be watched. */
  readonly done: Promise<void>;
  /** Finishes what was read, commits, leaves. Resolves when nothing runs any more, also after a failure; never rejects. */
  stop(): Promise<void>;
  /** Counts, positions and tasks as they are now. */
  snapshot(): TopologySnapshot;
  /** What the tasks of this process hold in a store now, changes that are not committed yet too. To look at, not to change. */
  entries<K, V>(store: StoreDef<K, V>): Iterable<readonly [K, V]>;
}

/** Name of the consumer group of a topology's first task group. */
export function groupNameOf(instance: string, topology: string): string {
  return `umbus.${instance}.${topology}`;
}

/**
 * Starts a topology in this process. Starting it in several shares its tasks among them. Makes topics that are missing. Returns at once.
 * Throws UMBUS_CONFIG_INVALID and UMBUS_TOPOLOGY_INVALID; everything later rejects `done`.
 */
export function startTopology<C>(
  definition: TopologyDefinition<C>,
  config: NoInfer<C>,
  options: StartOptions,
): RunningTopology {
  return new Deployment(definition, config, options);
}

class Deployment implements RunningTopology {
  readonly name: string;
  readonly group: string;
  readonly done: Promise<void>;
  readonly #options: StartOptions;
  readonly #graph: Graph;
  readonly #state: StateMachine;
  readonly #counts = zeroCounts();
  readonly #runners: readonly Runner[];
  readonly #boards: readonly ConfigBoard[];
  /** Runners that wait to begin again. */
  readonly #waiting = new Set<number>();
  readonly #stopping = new AbortController();
  readonly #teardown = new AbortController();

  constructor(definition: TopologyDefinition<unknown>, config: unknown, options: StartOptions) {
    const graph = buildTopology(definition, config);
    this.name = graph.name;
    this.group = groupNameOf(options.instance, graph.name);
    this.#options = options;
    this.#graph = graph;
    this.#state = new StateMachine((from, to) =>
      options.events?.stateChanged?.({ topology: graph.name, from, to }),
    );
    // Each group has a graph of its own, so that its config cells swap between its own batches.
    const graphs = graph.groups.map((_, index) => (index === 0 ? graph : buildTopology(definition, config)));
    this.#boards = graphs.map(own => new ConfigBoard(own, options.events ?? {}));
    this.#runners = graphs.map((own, index) => this.#runner(own, index));
    options.signal?.addEventListener('abort', () => this.#stopAll(), {
      once: true,
      signal: this.#teardown.signal,
    });
    if (options.signal?.aborted === true) this.#stopAll();
    this.done = this.#run();
    // Who listens to `failed` need not listen to `done` too.
    if (options.events?.failed !== undefined) this.done.catch(() => {});
  }

  get state(): TopologyState {
    return this.#state.current;
  }

  async stop(): Promise<void> {
    this.#stopAll();
    // `done` tells the failure; here only the end is waited for.
    await this.done.catch(() => {});
  }

  snapshot(): TopologySnapshot {
    return {
      topology: this.name,
      instance: this.#options.instance,
      state: this.state,
      counts: { ...this.#counts },
      tasks: this.#runners.flatMap(runner => runner.tasks()),
      externals: this.#runners.flatMap(runner => runner.external() ?? []),
    };
  }

  *entries<K, V>({ name }: StoreDef<K, V>): Iterable<readonly [K, V]> {
    // The store of that name was filled through this definition.
    for (const runner of this.#runners) yield* runner.entries(name) as Iterable<readonly [K, V]>;
  }

  #runner(graph: Graph, index: number): Runner {
    const group = graph.groups[index];
    const config = this.#boards[index];
    assert(group !== undefined && config !== undefined, 'Two builds of a topology differ.');
    const { log, clock, member = 'member', random = Math.random, events = {}, coordination } = this.#options;
    const make = group.kind === 'external' ? externalRunner : groupRunner;
    return make({
      graph,
      group,
      groupName: group.suffix === '' ? this.group : `${this.group}.${group.suffix}`,
      rootName: this.group,
      member,
      log,
      clock,
      random,
      events,
      counts: this.#counts,
      config,
      coordination: coordination ?? null,
      working: working => this.#working(index, working),
    });
  }

  #working(index: number, working: boolean): void {
    if (working) this.#waiting.delete(index);
    else this.#waiting.add(index);
    if (this.state !== 'stopping') this.#state.to(this.#waiting.size === 0 ? 'running' : 'restarting');
  }

  #stopAll(): void {
    if (this.state !== 'stopped' && this.state !== 'failed') this.#state.to('stopping');
    this.#stopping.abort();
    for (const runner of this.#runners) runner.stop();
  }

  async #run(): Promise<void> {
    const { log, clock, cells, events, random = Math.random } = this.#options;
    const shown = presence(this.name, this.#options, this.#teardown.signal);
    try {
      const around = { log, clock, random, events: events ?? {} };
      await ensureTopicsPatiently(this.#graph, this.group, around, this.#stopping.signal);
      for (const board of this.#boards) await board.open(cells, this.#teardown.signal);
      await allOrFirstFailure(this.#runners, () => this.#stopAll());
      this.#state.to('stopping');
      this.#state.to('stopped');
    } catch (error) {
      this.#state.to('failed');
      events?.failed?.({ topology: this.name, error });
      throw error;
    } finally {
      this.#teardown.abort();
      await shown;
    }
  }
}

/** Runs all; when one fails, the others finish what they have before the failure is passed on. */
async function allOrFirstFailure(runners: readonly Runner[], stopAll: () => void): Promise<void> {
  let failure: { readonly error: unknown } | null = null;
  await Promise.all(
    runners.map(runner =>
      runner.run().catch(error => {
        failure ??= { error };
        stopAll();
      }),
    ),
  );
  const first = failure as { readonly error: unknown } | null;
  if (first !== null) throw first.error;
}
