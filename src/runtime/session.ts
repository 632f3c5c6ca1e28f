import { UmbusError } from '../core/errors.ts';
import type { AssignmentListener, Membership, RecordBatch, TopicPartition } from '../ports/log.ts';
import type { Erased } from '../topology/graph.ts';
import { ControlFeeds } from './control-feeds.ts';
import { InFlight } from './in-flight.ts';
import { giveBackValues } from './outputs.ts';
import type { RunnerOptions } from './runner.ts';
import type { TaskSnapshot } from './snapshot.ts';
import { Task } from './task.ts';
import { type TaskEnvironment, taskEnvironmentOf } from './task-environment.ts';
import { restoreState } from './task-state.ts';
import { specOf } from './topic-spec.ts';

/** A poll that finds nothing ends after this time, only to be made again. */
const IDLE_WAIT_MS = 60_000;
/** Commits in flight before a poll, and so one more while a batch is processed. */
const MAX_COMMITS_BEFORE_POLL = 1;
/** How long a hand-over waits for commits in flight. */
const HAND_OVER_MS = 10_000;

/** One membership of the group, from join to leave. Its tasks live and die with it. */
export class Session {
  readonly #options: RunnerOptions;
  readonly #stopping: AbortSignal;
  readonly #torn = new AbortController();
  readonly #tasks = new Map<number, Task>();
  readonly #inFlight: InFlight;
  readonly #feeds: ControlFeeds;
  readonly #environment: TaskEnvironment;
  #membership: Membership | null = null;
  #poll: AbortController | null = null;
  #wakeAsked = false;
  /** Aborts when partitions are to move, so that calls of the batch in hand end soon. */
  #leaving = new AbortController();
  #failure: { readonly error: unknown } | null = null;
  /** When the oldest uncommitted record was processed; null when all is committed. */
  #uncommittedSinceMs: number | null = null;
  /** Whether a commit became durable. */
  madeProgress = false;

  constructor(options: RunnerOptions, stopping: AbortSignal) {
    this.#options = options;
    this.#stopping = stopping;
    this.#inFlight = new InFlight(error => this.#fail(error));
    this.#feeds = new ControlFeeds(
      options.log,
      options.graph.controls,
      this.#torn.signal,
      () => this.#wake(),
      error => this.#fail(error),
    );
    this.#environment = taskEnvironmentOf(options, this.#torn.signal, () => this.#leaving.signal);
  }

  async run(): Promise<void> {
    const { log, group, groupName, member } = this.#options;
    const wake = (): void => this.#wake();
    this.#stopping.addEventListener('abort', wake);
    try {
      const topics = group.topics.map(topic => topic.name);
      await using membership = await log.join({
        group: groupName,
        topics,
        member,
        listener: this.#listener(),
      });
      this.#membership = membership;
      this.#options.working(true);
      while (!this.#stopping.aborted) await this.#step(membership);
      await this.#commit(membership);
      await this.#inFlight.settled();
      this.#throwIfFailed();
    } finally {
      this.#stopping.removeEventListener('abort', wake);
      this.#torn.abort();
    }
  }

  async #step(membership: Membership): Promise<void> {
    await this.#inFlight.atMost(MAX_COMMITS_BEFORE_POLL);
    this.#throwIfFailed();
    const batches = await this.#pollBatches(membership);
    this.#throwIfFailed();
    this.#options.config.apply();
    this.#applyControls(membership);
    for (const batch of batches) {
      const waiting = this.#tasks.get(batch.partition)?.process(batch);
      if (waiting !== undefined && waiting !== null) await waiting;
    }
    const nowMs = this.#options.clock.now();
    for (const task of this.#tasks.values()) {
      const waiting = task.punctuateWall(nowMs);
      if (waiting !== null) await waiting;
    }
    if (this.#commitDue(nowMs)) await this.#commit(membership);
  }

  async #pollBatches(membership: Membership): Promise<readonly RecordBatch[]> {
    const poll = new AbortController();
    this.#poll = poll;
    this.#stay();
    const maxWaitMs = this.#wakeAsked || this.#stopping.aborted ? 0 : this.#waitMs();
    this.#wakeAsked = false;
    const batches = await membership.poll(
      { maxBytes: this.#options.graph.commit.maxBytes, maxWaitMs },
      poll.signal,
    );
    this.#poll = null;
    return batches;
  }

  #waitMs(): number {
    const nowMs = this.#options.clock.now();
    let untilMs = nowMs + IDLE_WAIT_MS;
    for (const task of this.#tasks.values()) untilMs = Math.min(untilMs, task.nextWallMs ?? untilMs);
    if (this.#uncommittedSinceMs !== null)
      untilMs = Math.min(untilMs, this.#uncommittedSinceMs + this.#options.graph.commit.everyMs);
    return Math.max(0, untilMs - nowMs);
  }

  #wake(): void {
    this.#wakeAsked = true;
    this.#poll?.abort();
  }

  #fail(error: unknown): void {
    this.#failure ??= { error };
    this.#wake();
  }

  #throwIfFailed(): void {
    if (this.#failure !== null) throw this.#failure.error;
  }

  #applyControls(membership: Membership): void {
    if (this.#options.graph.controls.length === 0) return;
    for (const task of this.#tasks.values()) task.applyControls(this.#feeds, membership);
    this.#feeds.trim([...this.#tasks.values()].map(task => task.controlPositions));
  }

  #commitDue(nowMs: number): boolean {
    let pendingBytes = 0;
    let dirty = false;
    for (const task of this.#tasks.values()) {
      dirty ||= task.dirty;
      pendingBytes += task.pendingBytes;
    }
    if (!dirty) return false;
    const { everyMs, maxBytes } = this.#options.graph.commit;
    this.#uncommittedSinceMs ??= nowMs;
    return nowMs - this.#uncommittedSinceMs >= everyMs || pendingBytes >= maxBytes;
  }

  /** Flushes and commits all tasks that have something. The commit's promise is watched by `#inFlight`. */
  async #commit(membership: Membership): Promise<void> {
    this.#uncommittedSinceMs = null;
    const dirty = [...this.#tasks.values()].filter(task => task.dirty);
    if (dirty.length === 0) return;
    for (const task of dirty) {
      const waiting = task.flush();
      if (waiting !== null) await waiting;
    }
    const records = dirty.reduce((sum, task) => sum + task.recordsSinceCommit, 0);
    const parts = dirty.map(task => task.takeCommit());
    // Most commits are of one task, whose arrays need no copy.
    const [only] = parts;
    const outputs =
      parts.length === 1 && only !== undefined ? only.outputs : parts.flatMap(part => part.outputs);
    const offsets = parts.flatMap(part => part.offsets);
    const topics = parts.flatMap(part => part.topics);
    const bytes = parts.reduce((sum, part) => sum + part.bytes, 0);
    const { clock, events, counts, graph, groupName, log } = this.#options;
    const startedMs = clock.now();
    const durable = async (): Promise<void> => {
      if (topics.length > 0) await log.ensureTopics(topics.map(specOf));
      await membership.commit({ outputs, offsets });
      giveBackValues(outputs);
      this.madeProgress = true;
      counts.commits += 1;
      const durationMs = clock.now() - startedMs;
      events.committed?.({
        topology: graph.name,
        group: groupName,
        records,
        outputs: outputs.length,
        bytes,
        durationMs,
      });
    };
    // Commits are applied in call order, so one that must first make topics holds back those after it.
    const held = topics.length > 0 || this.#inFlight.ordered;
    this.#inFlight.add(held ? this.#inFlight.afterAll(durable) : durable());
  }

  #listener(): AssignmentListener {
    const guarded = async (f: () => void | Promise<void>): Promise<void> => {
      try {
        await f();
      } catch (error) {
        this.#fail(error);
      }
    };
    return {
      assigned: partitions => guarded(() => this.#assigned(partitions)),
      revoking: partitions => guarded(() => this.#revoking(partitions)),
      lost: partitions => {
        this.#rebalanced('lost', partitions);
        for (const { partition } of partitions) this.#tasks.delete(partition);
        this.#stay();
      },
      moving: () => this.#leaving.abort(),
    };
  }

  async #assigned(partitions: readonly TopicPartition[]): Promise<void> {
    this.#rebalanced('assigned', partitions);
    const signal = AbortSignal.any([this.#torn.signal, this.#stopping]);
    for (const partition of new Set(partitions.map(place => place.partition))) {
      const state = await restoreState(this.#environment, partition, this.#options.log, this.#feeds, signal);
      if (signal.aborted) return;
      const task = new Task(this.#environment, partition, state);
      this.#tasks.set(partition, task);
      for (const [topic, input] of state.inputs) this.#membership?.seek({ topic, partition }, input.position);
      if (state.paused.size > 0)
        this.#membership?.pause([...state.paused].map(topic => ({ topic, partition })));
    }
    // The poll that brought them does not know when their punctuations are due.
    this.#wake();
  }

  /** Everything polled has been processed when this is called, since a poll is what calls it. So: commit, wait, let go. */
  async #revoking(partitions: readonly TopicPartition[]): Promise<void> {
    if (this.#membership !== null && this.#failure === null) await this.#commit(this.#membership);
    const deadline = new AbortController();
    const late = this.#options.clock.sleep(HAND_OVER_MS, deadline.signal).then(() => deadline.signal.aborted);
    const inTime = await Promise.race([this.#inFlight.settled().then(() => true), late]);
    deadline.abort();
    for (const { partition } of partitions) this.#tasks.delete(partition);
    this.#rebalanced('revoked', partitions);
    this.#stay();
    if (!inTime)
      throw new UmbusError(
        'UMBUS_LOG_FENCED',
        `The group ${this.#options.groupName} gave partitions up before their commit was durable.`,
      );
  }

  /** What was to move has moved, or is told by the poll that begins: the calls of the next batch need not hurry. */
  #stay(): void {
    if (this.#leaving.signal.aborted) this.#leaving = new AbortController();
  }

  #rebalanced(change: 'assigned' | 'revoked' | 'lost', partitions: readonly TopicPartition[]): void {
    const { events, graph, groupName } = this.#options;
    events.rebalanced?.({ topology: graph.name, group: groupName, change, partitions });
  }

  entries(store: string): Iterable<readonly [Erased, Erased]> {
    return [...this.#tasks.values()].flatMap(task => [...task.entries(store)]);
  }

  tasks(): readonly TaskSnapshot[] {
    return [...this.#tasks.values()].map(task => task.snapshot());
  }
}
