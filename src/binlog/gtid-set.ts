import { UmbusError } from '../core/errors.ts';
import { GnoIntervals } from './gno-intervals.ts';

const uuidPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const tagPattern = /^[a-z_][a-z0-9_]{0,31}$/;
const rangePattern = /^(\d{1,19})(?:-(\d{1,19}))?$/;
const positionPattern = /^(\d{1,10})-(\d{1,10})-(\d{1,20})$/;

/**
 * Reads a GTID set of MySQL (`uuid:1-5:7:tag:1-3`, parts separated by commas) or a GTID position of MariaDB (`0-1-100,1-2-5`). Line breaks and blanks
 * between parts are ignored, as the servers print them. Errors: UMBUS_SOURCE_PROTOCOL.
 */
export function parseGtidSet(flavor: 'mysql', text: string): MysqlGtidSet;
export function parseGtidSet(flavor: 'mariadb', text: string): MariadbGtidPosition;
export function parseGtidSet(flavor: 'mysql' | 'mariadb', text: string): MysqlGtidSet | MariadbGtidPosition;
export function parseGtidSet(flavor: 'mysql' | 'mariadb', text: string): MysqlGtidSet | MariadbGtidPosition {
  return flavor === 'mysql' ? parseMysqlGtidSet(text) : parseMariadbGtidPosition(text);
}

/** A GTID set of MySQL. Transaction numbers above 2^53 - 1 are not supported: no server gets there. */
export class MysqlGtidSet {
  /** By uuid, then by tag ('' for none). */
  readonly #sources = new Map<string, Map<string, GnoIntervals>>();

  /** The numbers of one source, made when new. `uuid` in lower case with dashes; `tag` is '' for none. Adding to them adds to the set. */
  intervals(uuid: string, tag: string): GnoIntervals {
    let tags = this.#sources.get(uuid);
    if (tags === undefined) {
      tags = new Map();
      this.#sources.set(uuid, tags);
    }
    let intervals = tags.get(tag);
    if (intervals === undefined) {
      intervals = new GnoIntervals();
      tags.set(tag, intervals);
    }
    return intervals;
  }

  /** Adds all of the other. */
  addAll(other: MysqlGtidSet): void {
    for (const [uuid, tags] of other.#sources) {
      for (const [tag, theirs] of tags) {
        const ours = this.intervals(uuid, tag);
        for (const [first, last] of theirs.ranges()) ours.addRange(first, last);
      }
    }
  }

  /** Whether every transaction of the other is in this one. */
  containsAll(other: MysqlGtidSet): boolean {
    for (const [uuid, tags] of other.#sources) {
      for (const [tag, theirs] of tags) {
        const ours = this.#sources.get(uuid)?.get(tag) ?? new GnoIntervals();
        if (!ours.containsAll(theirs)) return false;
      }
    }
    return true;
  }

  /** What is not empty, by uuid and then tag. */
  *sources(): Iterable<{ readonly uuid: string; readonly tag: string; readonly intervals: GnoIntervals }> {
    for (const [uuid, tags] of sorted(this.#sources)) {
      for (const [tag, intervals] of sorted(tags)) {
        if (intervals.count > 0) yield { uuid, tag, intervals };
      }
    }
  }

  /** The server's own text form; '' when empty. */
  toString(): string {
    const byUuid = new Map<string, string[]>();
    for (const { uuid, tag, intervals } of this.sources()) {
      const parts = byUuid.get(uuid) ?? [];
      byUuid.set(uuid, parts);
      parts.push(tag === '' ? String(intervals) : `${tag}:${intervals}`);
    }
    return [...byUuid].map(([uuid, parts]) => `${uuid}:${parts.join(':')}`).join(',');
  }
}

function sorted<V>(map: ReadonlyMap<string, V>): (readonly [string, V])[] {
  return [...map].sort(([a], [b]) => (a < b ? -1 : 1));
}

/** A GTID position of MariaDB: the last transaction of each replication domain. */
export class MariadbGtidPosition {
  readonly #domains = new Map<number, { serverId: number; sequence: number }>();

  /** The newest transaction of a domain, as it comes. */
  set(domain: number, serverId: number, sequence: number): void {
    const last = this.#domains.get(domain);
    if (last === undefined) this.#domains.set(domain, { serverId, sequence });
    else {
      last.serverId = serverId;
      last.sequence = sequence;
    }
  }

  /** For each domain the later of both. */
  addAll(other: MariadbGtidPosition): void {
    for (const [domain, { serverId, sequence }] of other.#domains) {
      if (sequence > (this.#domains.get(domain)?.sequence ?? -1)) this.set(domain, serverId, sequence);
    }
  }

  /** Sequence numbers within a domain only grow, whichever server writes, so a later one contains the earlier. */
  containsAll(other: MariadbGtidPosition): boolean {
    for (const [domain, theirs] of other.#domains) {
      const ours = this.#domains.get(domain);
      if (ours === undefined || ours.sequence < theirs.sequence) return false;
    }
    return true;
  }

  /** The last transaction of a domain; null when there is none. */
  last(domain: number): { readonly serverId: number; readonly sequence: number } | null {
    return this.#domains.get(domain) ?? null;
  }

  /** The part of this position that the other has not reached: its domains, with the last transaction of each here. */
  beyond(other: MariadbGtidPosition): MariadbGtidPosition {
    const rest = new MariadbGtidPosition();
    for (const [domain, { serverId, sequence }] of this.#domains) {
      if (sequence > (other.last(domain)?.sequence ?? 0)) rest.set(domain, serverId, sequence);
    }
    return rest;
  }

  /** The server's own text form; '' when empty. */
  toString(): string {
    return [...this.#domains]
      .sort(([a], [b]) => a - b)
      .map(([domain, last]) => `${domain}-${last.serverId}-${last.sequence}`)
      .join(',');
  }
}

function parseMysqlGtidSet(text: string): MysqlGtidSet {
  const set = new MysqlGtidSet();
  for (const source of splitParts(text)) {
    const [uuid = '', ...parts] = source.split(':').map(part => part.trim().toLowerCase());
    if (!uuidPattern.test(uuid)) throw invalid(text);
    let tag = '';
    for (const part of parts) {
      const range = rangePattern.exec(part);
      if (range === null) {
        if (!tagPattern.test(part)) throw invalid(text);
        tag = part;
        continue;
      }
      const first = Number(range[1]);
      const last = Number(range[2] ?? range[1]);
      if (first < 1 || last < first || !Number.isSafeInteger(last)) throw invalid(text);
      set.intervals(uuid, tag).addRange(first, last);
    }
  }
  return set;
}

function parseMariadbGtidPosition(text: string): MariadbGtidPosition {
  const position = new MariadbGtidPosition();
  for (const part of splitParts(text)) {
    const [, domain, serverId, sequence] = positionPattern.exec(part) ?? [];
    if (domain === undefined || !Number.isSafeInteger(Number(sequence))) throw invalid(text);
    position.set(Number(domain), Number(serverId), Number(sequence));
  }
  return position;
}

function splitParts(text: string): string[] {
  return text
    .split(',')
    .map(part => part.trim())
    .filter(part => part !== '');
}

function invalid(text: string): UmbusError {
  return new UmbusError('UMBUS_SOURCE_PROTOCOL', `'${text}' is not a GTID set.`);
}
