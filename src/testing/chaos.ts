import type { MemoryLog } from '../adapters/memory/memory-log.ts';
import { LANE_HEADER } from '../runtime/outputs.ts';
import { crashPoints, type Fault, type FaultRates } from './faults.ts';
import type { Instance } from './instance.ts';
import type { Random } from './random.ts';
import { recordsOf } from './topic-view.ts';

/** Faults of a driver, unless its rates say otherwise. */
const MAX_FAULTS = 100;

/** Makes faults happen by chance, and writes down each. */
export class Chaos {
  readonly faults: Fault[] = [];
  readonly #log: MemoryLog;
  readonly #random: Random;
  readonly #instances: () => readonly Instance[];
  #rates: FaultRates = {};

  constructor(log: MemoryLog, random: Random, instances: () => readonly Instance[]) {
    this.#log = log;
    this.#random = random;
    this.#instances = instances;
  }

  set rates(rates: FaultRates) {
    this.#rates = rates;
  }

  /** Perhaps makes faults happen, before step `step`. */
  async strike(step: number): Promise<void> {
    const {
      crash = 0,
      zombie = 0,
      rebalance = 0,
      duplicate = 0,
      redeliver = 0,
      limit = MAX_FAULTS,
    } = this.#rates;
    if (this.faults.length >= limit) return;
    const note = (what: string): void => {
      this.faults.push({ step, what });
    };
    if (this.#random.chance(crash)) this.#crash(note);
    if (this.#random.chance(zombie)) this.#zombie(note);
    if (this.#random.chance(rebalance)) this.#rebalance(note);
    if (this.#random.chance(duplicate)) await this.#duplicate(note);
    if (this.#random.chance(redeliver)) await this.#redeliver(note);
  }

  #alive(): readonly Instance[] {
    return this.#instances().filter(instance => instance.alive);
  }

  #crash(note: (what: string) => void): void {
    const instance = this.#random.pick(this.#alive());
    const point = this.#random.pick(crashPoints);
    if (instance === undefined || point === undefined) return;
    note(`crash ${instance.name} ${point}`);
    if (point === 'now') instance.crash();
    else instance.crashAt(point);
  }

  #zombie(note: (what: string) => void): void {
    const instance = this.#random.pick(this.#alive().filter(each => each.hasWorkInHand));
    if (instance === undefined) return;
    note(`zombie ${instance.name}`);
    instance.becomeZombie();
  }

  #rebalance(note: (what: string) => void): void {
    const instance = this.#random.pick(this.#alive());
    if (instance === undefined) return;
    const group = this.#random.pick(instance.groups);
    if (group !== undefined && this.#log.members(group).length > 1 && this.#random.chance(0.5)) {
      note(`rebalance ${group}`);
      this.#log.rebalance(group);
      return;
    }
    note(`stop ${instance.name}`);
    void instance.stop();
  }

  async #duplicate(note: (what: string) => void): Promise<void> {
    const written = [];
    for (const { name, partitions, cleanup } of await this.#log.topics()) {
      if (cleanup === 'compact') continue;
      for (let partition = 0; partition < partitions; partition += 1) {
        for (const { offset, headers } of recordsOf(this.#log, name, partition)) {
          if (headers[LANE_HEADER] !== undefined) written.push({ topic: name, partition, offset });
        }
      }
    }
    const chosen = this.#random.pick(written);
    if (chosen === undefined) return;
    note(`duplicate ${chosen.topic}/${chosen.partition} offset ${chosen.offset}`);
    this.#log.duplicate(chosen, chosen.offset);
  }

  async #redeliver(note: (what: string) => void): Promise<void> {
    const tasks = this.#alive().flatMap(instance => instance.running?.snapshot().tasks ?? []);
    const task = this.#random.pick(tasks);
    const input = task === undefined ? undefined : this.#random.pick(task.inputs);
    if (task === undefined || input === undefined || input.position === 0n) return;
    const offset = input.position - 1n - BigInt(this.#random.below(Math.min(3, Number(input.position))));
    if (this.#log.redeliver(task.group, input, offset))
      note(`redeliver ${input.topic}/${input.partition} from ${offset}`);
  }
}
