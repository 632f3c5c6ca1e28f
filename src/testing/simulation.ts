import { createMemoryLog, type MemoryLog } from '../adapters/memory/memory-log.ts';
import { UmbusError } from '../core/errors.ts';
import type { OutgoingRecord, Writer } from '../ports/log.ts';
import { createMemoryCells } from '../runtime/memory-cells.ts';
import { restoreStore } from '../runtime/restore.ts';
import type { TopologySnapshot } from '../runtime/snapshot.ts';
import { groupNameOf } from '../runtime/start.ts';
import { changelogTopic } from '../runtime/task-environment.ts';
import { buildTopology } from '../topology/build.ts';
import { describe } from '../topology/describe.ts';
import { durationMs } from '../topology/duration.ts';
import type { StoreDef, Topic } from '../topology/types.ts';
import { Chaos } from './chaos.ts';
import type { Driver, DriverOptions, DriverPart } from './driver-types.ts';
import type { CrashPoint, Fault, FaultRates } from './faults.ts';
import { Instance, type SimulatedTopology, type World } from './instance.ts';
import { type Random, seededRandom } from './random.ts';
import { Scheduler } from './scheduler.ts';
import { inputOf, outputOf, type TestInput, type TestOutput } from './topic-view.ts';
import { VirtualClock } from './virtual-clock.ts';

/** Steps after which `settle` gives up: something goes round in circles. */
const MAX_STEPS = 200_000;
/** Attempts without a commit after which `settle` takes what is away to stay away. */
const MAX_VAIN_ATTEMPTS = 20;
const START_MS = Date.UTC(2024, 0, 1);

/** The driver: instances of the real runtime, stepped one gate at a time. */
export class Simulation implements Driver {
  readonly seed: number;
  readonly clock: VirtualClock;
  readonly log: MemoryLog;
  readonly cells = createMemoryCells();
  readonly random: Random;
  readonly #topologies: readonly SimulatedTopology[];
  readonly #scheduler: Scheduler;
  readonly #world: World;
  readonly #chaos: Chaos;
  readonly #instances: Instance[] = [];
  /** Instances that are not to start again. */
  readonly #left = new Set<Instance>();
  readonly #failures: unknown[] = [];
  readonly #faults: Fault[] = [];
  #writer: Writer | null = null;
  #started = false;
  #commits = 0;

  constructor(parts: readonly DriverPart[], options: DriverOptions) {
    this.seed = options.seed ?? 1;
    this.random = seededRandom(this.seed);
    this.clock = new VirtualClock(options.startMs ?? START_MS);
    this.log = createMemoryLog({ clock: this.clock });
    this.#scheduler = new Scheduler(this.random);
    const append = (records: readonly OutgoingRecord[]): Promise<void> => this.#append(records);
    this.#world = {
      log: this.log,
      clock: this.clock,
      scheduler: this.#scheduler,
      cells: this.cells,
      random: () => this.random.next(),
      instance: options.instance ?? 'test',
      outputsFirst: options.commitMode === 'outputs-first',
      append,
      events: {
        ...options.events,
        committed: event => {
          this.#commits += 1;
          options.events?.committed?.(event);
        },
      },
      prefix: count => this.random.below(count + 1),
      failed: error => this.#failures.push(error),
    };
    this.#topologies = parts.map(({ definition, config, instances }) => {
      // The wiring is checked here, so that a test fails where it makes the driver.
      buildTopology(definition, config);
      return { definition, config, instances: instances ?? options.instances ?? 1 };
    });
    for (const topology of this.#topologies) {
      for (let ordinal = 0; ordinal < topology.instances; ordinal += 1) this.#add(topology);
    }
    this.#chaos = new Chaos(this.log, this.random, () => this.#instances);
  }

  get instances(): readonly Instance[] {
    return this.#instances;
  }

  get faults(): readonly Fault[] {
    return [...this.#faults, ...this.#chaos.faults].sort((a, b) => a.step - b.step);
  }

  #add(topology: SimulatedTopology): Instance {
    const ordinal = this.#instances.filter(instance => instance.topology === topology).length;
    const instance = new Instance(this.#world, topology, ordinal);
    this.#instances.push(instance);
    return instance;
  }

  async #append(records: readonly OutgoingRecord[]): Promise<void> {
    this.#writer ??= await this.log.openWriter('test-driver');
    if (records.length > 0) await this.#writer.append(records);
  }

  in<K, V>(topic: Topic<K, V>): TestInput<K, V> {
    return inputOf(
      topic,
      this.log,
      () => this.clock.now(),
      records => this.#append(records),
    );
  }

  out<K, V>(topic: Topic<K, V>): TestOutput<K, V> {
    return outputOf(topic, this.log);
  }

  async store<K, V>(def: StoreDef<K, V>, topology?: string): Promise<ReadonlyMap<K, V>> {
    const { definition, config } = this.#topologyOf(topology);
    const root = groupNameOf(this.#world.instance, definition.name);
    const result = new Map<K, V>();
    for (const group of buildTopology(definition, config).groups) {
      if (!group.stores.includes(def) && !group.stores.some(({ name }) => name === def.name)) continue;
      const groupName = group.suffix === '' ? root : `${root}.${group.suffix}`;
      for (let partition = 0; partition < group.partitions; partition += 1) {
        const places = group.topics.map(({ name }) => ({ topic: name, partition }));
        const offsets = await this.log.committed(groupName, places);
        const committed = new Map(
          offsets.flatMap(offset => (offset === null ? [] : [[offset.topic, offset.offset] as const])),
        );
        const changelog = { topic: changelogTopic(root, def.name), partition };
        const store = await restoreStore(this.log, def, changelog, committed, new AbortController().signal);
        for (const [key, value] of store.entries()) result.set(key, value);
      }
    }
    return result;
  }

  #topologyOf(name: string | undefined): SimulatedTopology {
    const found =
      name === undefined && this.#topologies.length === 1
        ? this.#topologies[0]
        : this.#topologies.find(({ definition }) => definition.name === name);
    if (found !== undefined) return found;
    const known = this.#topologies.map(({ definition }) => definition.name).join(', ');
    throw new UmbusError(
      'UMBUS_TOPOLOGY_INVALID',
      `The driver has no topology '${name ?? ''}'; it has ${known}.`,
    );
  }

  async step(): Promise<boolean> {
    const revived = this.#started ? this.#revive() : this.#start();
    await this.#chaos.strike(this.#scheduler.steps);
    return (await this.#scheduler.step()) || revived;
  }

  #start(): boolean {
    this.#started = true;
    for (const instance of this.#instances) instance.start();
    return true;
  }

  /** Starts what is down again, one at a time and not always at once. */
  #revive(): boolean {
    const down = this.#instances.filter(instance => !instance.alive && !this.#left.has(instance));
    const chosen = this.random.pick(down);
    if (chosen === undefined) return false;
    if (this.random.chance(0.3)) chosen.start();
    return true;
  }

  async settle(): Promise<void> {
    const limit = this.#scheduler.steps + MAX_STEPS;
    let vain = 0;
    for (;;) {
      const commits = this.#commits;
      while (await this.step()) {
        this.#throwFailure();
        if (this.#scheduler.steps > limit) {
          throw new UmbusError(
            'UMBUS_INTERNAL',
            `The topologies did not come to rest in ${MAX_STEPS} steps.`,
          );
        }
      }
      this.#throwFailure();
      const waits = this.#instances.flatMap(({ alive, backoffUntilMs }) =>
        alive ? (backoffUntilMs ?? []) : [],
      );
      const pending = waits.filter(untilMs => untilMs > this.clock.now());
      vain = this.#commits === commits ? vain + 1 : 0;
      if (pending.length === 0 || vain > MAX_VAIN_ATTEMPTS) return;
      this.clock.moveTo(Math.min(...pending));
    }
  }

  #throwFailure(): void {
    if (this.#failures.length > 0) throw this.#failures.shift();
  }

  async advance(duration: string | number): Promise<void> {
    const untilMs = this.clock.now() + (typeof duration === 'string' ? durationMs(duration) : duration);
    await this.settle();
    for (let dueMs = this.clock.nextDueMs; dueMs !== null && dueMs <= untilMs; dueMs = this.clock.nextDueMs) {
      this.clock.moveTo(dueMs);
      await this.settle();
    }
    this.clock.moveTo(untilMs);
    await this.settle();
  }

  crash(instance: Instance, point: CrashPoint = 'now'): void {
    this.#note(`crash ${instance.name} ${point}`);
    if (point === 'now') instance.crash();
    else instance.crashAt(point);
  }

  zombie(instance: Instance): void {
    this.#note(`zombie ${instance.name}`);
    instance.becomeZombie();
  }

  rebalance(topology?: string): void {
    const { definition } = this.#topologyOf(topology);
    this.#note(`rebalance ${definition.name}`);
    const groups = this.#instances
      .filter(instance => instance.topology.definition === definition)
      .flatMap(instance => instance.groups);
    for (const group of new Set(groups)) this.log.rebalance(group);
  }

  join(topology?: string): Instance {
    const instance = this.#add(this.#topologyOf(topology));
    if (this.#started) instance.start();
    return instance;
  }

  async leave(instance: Instance): Promise<void> {
    this.#left.add(instance);
    await this.#untilDone([instance]);
  }

  async #untilDone(instances: readonly Instance[]): Promise<void> {
    let done = false;
    const stopped = Promise.all(instances.map(instance => instance.stop())).then(() => {
      done = true;
    });
    for (let steps = 0; !done && steps < MAX_STEPS; steps += 1) await this.step();
    await stopped;
  }

  #note(what: string): void {
    this.#faults.push({ step: this.#scheduler.steps, what });
  }

  chaos(rates: FaultRates): void {
    this.#chaos.rates = rates;
  }

  snapshots(): readonly TopologySnapshot[] {
    return this.#instances.flatMap(({ running }) => running?.snapshot() ?? []);
  }

  describe(): string {
    return this.#topologies.map(({ definition, config }) => describe(definition, config)).join('\n');
  }

  async stop(): Promise<void> {
    this.chaos({});
    for (const instance of this.#instances) this.#left.add(instance);
    if (this.#started) await this.#untilDone(this.#instances);
    this.#throwFailure();
  }
}
