/** The model server as a source of change bytes: serves the binlog of a workload, with all that goes wrong on the way. */
import { Buffer } from 'node:buffer';
import { EVENT_TYPE_AT, EventType } from '../../src/binlog/event-type.ts';
import { UmbusError } from '../../src/core/errors.ts';
import type {
  ChangeConnection,
  ChangeSource,
  DescribedTables,
  DescribeRequest,
  OpenFrom,
  ResumePoint,
} from '../../src/ports/change-source.ts';
import type { Random } from '../../src/testing/index.ts';
import { BinlogBuilder } from '../support/binlog-builder.ts';
import { type BinlogStore, fileName } from './binlog-store.ts';

/** Probabilities of what goes wrong, each for one connection. */
export interface SourceFaults {
  /** It cannot be opened. */
  readonly unreachable: number;
  /** It is cut after some bytes, anywhere. */
  readonly cut: number;
  /** A byte of an event changes on the way. Needs checksums. */
  readonly damage: number;
  /** That event is among so many from the start of the connection. */
  readonly damageWithin: number;
}

/** A source on which nothing goes wrong. */
export const noFaults: SourceFaults = { unreachable: 0, cut: 0, damage: 0, damageWithin: 0 };

/** Damaged connections in a row: the runtime gives up at the fifth equal error without progress, as it should. */
const MAX_DAMAGED = 3;
const SERVER = 'model-server';

/** Serves a binlog up to the last unit that was made visible. */
export class ModelSource implements ChangeSource {
  readonly store: BinlogStore;
  readonly random: Random;
  faults: SourceFaults;
  /** How often a connection was cut or refused, or an event was damaged. */
  mishaps = 0;
  /** Events that can be read. */
  visible = 0;
  /** Indexes of the events that came next when someone asked to begin now. */
  readonly starts = new Set<number>();
  /** A heartbeat is due on the connection. */
  heartbeat = false;
  #units = 0;
  #damaged = 0;
  #connection: ModelConnection | null = null;

  constructor(store: BinlogStore, random: Random, faults: SourceFaults) {
    this.store = store;
    this.random = random;
    this.faults = faults;
    this.commit(1);
  }

  /** Whether everything is visible. */
  get complete(): boolean {
    return this.visible === this.store.events.length;
  }

  /** Makes the next units visible. */
  commit(units: number): void {
    this.#units = Math.min(this.#units + units, this.store.unitEnds.length);
    this.visible = this.store.unitEnds[this.#units - 1] ?? 0;
    this.#connection?.wake();
  }

  /** Cuts the connection in use. */
  cut(): void {
    this.mishaps += 1;
    this.#connection?.cut();
  }

  /** Lets the connection send a heartbeat. */
  beat(): void {
    this.heartbeat = true;
    this.#connection?.wake();
  }

  /** A table whose maps do not say all is one that this server does not show. */
  async describe({ also }: DescribeRequest): Promise<DescribedTables> {
    const { events, form } = this.store;
    const last = events[this.visible - 1];
    return {
      tables: also === null ? [] : [{ ...also, sql: null }],
      schemas: [],
      end: {
        file: last?.file ?? fileName(form.firstFile),
        position: last?.end ?? form.firstPosition,
      },
    };
  }

  async open(from: OpenFrom): Promise<ChangeConnection> {
    const { random } = this;
    if (random.chance(this.faults.unreachable)) {
      this.mishaps += 1;
      throw new UmbusError('UMBUS_SOURCE_UNREACHABLE', 'The model server does not answer.');
    }
    const at = from.kind === 'resume' ? this.#resumed(from) : this.#started(from.at);
    const index = this.indexAt(at);
    this.#connection?.abandon();
    const damage = this.#damaged < MAX_DAMAGED && random.chance(this.faults.damage);
    this.#damaged = damage ? this.#damaged + 1 : 0;
    const cutAfter = random.chance(this.faults.cut) ? random.below(random.chance(0.5) ? 300 : 6000) : null;
    this.#connection = new ModelConnection(this, at, index, {
      cutAfter,
      damagedEvent: damage && this.store.form.checksum ? 1 + random.below(this.faults.damageWithin) : null,
    });
    return this.#connection;
  }

  /** A server knows its own positions; it must only be asked for those that it can serve from. */
  #resumed({ server, at }: Extract<OpenFrom, { kind: 'resume' }>): ResumePoint {
    if (server !== SERVER) throw protocolError(`The line asks for server ${server}.`);
    const executed = this.store.executedBefore(this.indexAt(at));
    if (at.gtid !== '' && at.gtid !== executed) {
      throw protocolError(`At ${at.file}:${at.position} '${executed}' is executed, not '${at.gtid}'.`);
    }
    return at;
  }

  #started(at: Extract<OpenFrom, { kind: 'start' }>['at']): ResumePoint {
    const { events, form } = this.store;
    if (at === 'now') {
      const last = events[this.visible - 1];
      if (last === undefined) throw protocolError('The model server has no binlog yet.');
      this.starts.add(this.visible);
      return { file: last.file, position: last.end, gtid: this.store.executedBefore(this.visible) };
    }
    if (at === 'earliest') return { file: fileName(form.firstFile), position: form.firstPosition, gtid: '' };
    if ('gtid' in at) throw protocolError('The model server is not asked by GTID.');
    return { ...at, gtid: '' };
  }

  /** Index of the first event at or behind a place, which must be between two events. */
  indexAt({ file, position }: Omit<ResumePoint, 'gtid'>): number {
    const { events, form } = this.store;
    if (file === fileName(form.firstFile) && position === form.firstPosition) return 0;
    const begun = events.findIndex(event => event.file === file && event.start === position);
    if (begun >= 0) return begun;
    const ended = events.findIndex(event => event.file === file && event.end === position);
    if (ended >= 0) return ended + 1;
    throw protocolError(`No event begins or ends at ${file}:${position}.`);
  }

  closed(connection: ModelConnection): void {
    if (this.#connection === connection) this.#connection = null;
  }
}

/** An error after which nothing is tried again, so that the simulation fails. */
function protocolError(what: string): UmbusError {
  return new UmbusError('UMBUS_SOURCE_POSITION_GONE', what);
}

/** What goes wrong with one connection; null for nothing. */
interface Mishaps {
  /** Bytes after which it is cut. */
  readonly cutAfter: number | null;
  /** Which event is damaged, from 1. */
  readonly damagedEvent: number | null;
}

/** One dump: artificial ROTATE, description, then the events of the files. */
class ModelConnection implements ChangeConnection {
  readonly server;
  readonly from: ResumePoint;
  readonly switched = false;
  readonly named = true;
  readonly #source: ModelSource;
  readonly #builder: BinlogBuilder;
  readonly #artificialChecksum: boolean;
  /** Most bytes of one read. */
  readonly #chunkBytes: number;
  #wire: Buffer;
  #next: number;
  #bytesLeft: number | null;
  #eventsToDamage: number | null;
  #state: 'open' | 'cut' | 'closed' | 'abandoned' = 'open';
  #wake: (() => void) | null = null;

  constructor(source: ModelSource, at: ResumePoint, index: number, mishaps: Mishaps) {
    const { random, store } = source;
    const { flavor, checksum } = store.form;
    this.server = { flavor, version: flavor === 'mysql' ? '9.7.4' : '10.11.19-MariaDB', id: SERVER };
    this.from = at;
    this.#source = source;
    this.#next = index;
    this.#bytesLeft = mishaps.cutAfter;
    this.#eventsToDamage = mishaps.damagedEvent;
    this.#chunkBytes = random.pick([7, 60, 500, 4000, 1 << 20]) ?? 500;
    this.#builder = new BinlogBuilder({ flavor, checksum, file: at.file, position: at.position });
    // With an old file's description in mind a server may leave the checksum out.
    this.#artificialChecksum = checksum && random.chance(0.5);
    const parts = [this.#artificialRotate()];
    if (at.position !== 4) parts.push(this.#packet(this.#builder.formatDescription()));
    this.#wire = Buffer.concat(parts);
  }

  get buffered(): number {
    return this.#state === 'open' ? this.#wire.length : 0;
  }

  async read(): Promise<Uint8Array | null> {
    for (;;) {
      if (this.#state === 'abandoned') return new Promise(() => {});
      if (this.#state === 'closed') return null;
      if (this.#state === 'cut') return this.#tellCut();
      if (this.#wire.length === 0) this.#fill();
      if (this.#wire.length > 0) {
        const chunk = this.#take();
        if (chunk !== null) return chunk;
        continue;
      }
      await new Promise<void>(resolve => {
        this.#wake = resolve;
      });
    }
  }

  #tellCut(): null {
    if (this.#source.random.chance(0.5)) return null;
    throw new UmbusError('UMBUS_SOURCE_DISCONNECTED', 'The connection to the model server is cut.');
  }

  #take(): Buffer | null {
    const most = 1 + this.#source.random.below(this.#chunkBytes);
    const bytes = Math.min(most, this.#wire.length, this.#bytesLeft ?? most);
    if (this.#bytesLeft !== null) {
      this.#bytesLeft -= bytes;
      if (bytes === 0) {
        this.#source.mishaps += 1;
        this.#state = 'cut';
        return null;
      }
    }
    const chunk = Buffer.from(this.#wire.subarray(0, bytes));
    this.#wire = this.#wire.subarray(bytes);
    return chunk;
  }

  /** Puts the events that have come by now on the wire: some of those that are visible. */
  #fill(): void {
    const { store, visible, random } = this.#source;
    const parts: Buffer[] = [];
    const until = Math.min(visible, this.#next + 1 + random.below(random.chance(0.3) ? 4 : 60));
    while (this.#next < until) {
      const event = store.events[this.#next];
      if (event === undefined) break;
      if (event.file !== this.#builder.file) {
        this.#builder.file = event.file;
        this.#builder.position = 4;
        parts.push(this.#artificialRotate());
      }
      parts.push(this.#packet(event.bytes));
      this.#builder.position = event.end;
      this.#next += 1;
    }
    if (this.#source.heartbeat || random.chance(0.03)) {
      this.#source.heartbeat = false;
      parts.push(this.#packet(this.#builder.heartbeat()));
    }
    this.#wire = Buffer.concat(parts);
  }

  /** Without a checksum nothing would tell that it is damaged. */
  #artificialRotate(): Buffer {
    const checksum = this.#artificialChecksum;
    const event = this.#builder.artificialRotate({ checksum });
    return this.#packet(event, checksum);
  }

  #packet(event: Buffer, mayBeDamaged = true): Buffer {
    const sent = mayBeDamaged ? this.#damaged(event) : event;
    return this.#builder.packet(Buffer.concat([Buffer.alloc(1), sent]));
  }

  #damaged(event: Buffer): Buffer {
    if (this.#eventsToDamage === null) return event;
    this.#eventsToDamage -= 1;
    if (this.#eventsToDamage !== 0) return event;
    this.#source.mishaps += 1;
    const { random } = this.#source;
    const damaged = Buffer.from(event);
    // The byte that says whether there are checksums is not covered by one: a description always ends with it and a sum.
    const isDescription = event[EVENT_TYPE_AT] === EventType.FORMAT_DESCRIPTION;
    const at = random.below(damaged.length - (isDescription ? 5 : 0));
    damaged[at] = (damaged[at] ?? 0) ^ (1 + random.below(255));
    return damaged;
  }

  wake(): void {
    this.#wake?.();
    this.#wake = null;
  }

  cut(): void {
    if (this.#state === 'open') this.#state = 'cut';
    this.wake();
  }

  /** Its reader is dead: nobody hears of it again. */
  abandon(): void {
    this.#state = 'abandoned';
    this.wake();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#state !== 'abandoned') this.#state = 'closed';
    this.#source.closed(this);
    this.wake();
  }
}
