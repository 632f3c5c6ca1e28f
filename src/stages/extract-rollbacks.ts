import type { StatementFacts } from '../binlog/statement.ts';
import { UmbusError } from '../core/errors.ts';
import type { LandedMark, RunLander } from './extract-lander.ts';

/** Savepoints that a transaction may have at a time, and XA transactions that may be prepared: a bound for damaged or endless streams. */
const MAX_KEPT = 10_000;

/**
 * What a binlog takes back. A server logs a rolled back transaction, or what was rolled back to a savepoint, where it cannot leave it out: MariaDB after CREATE TEMPORARY TABLE,
 * and both when tables without transactions were changed in between. And it logs an XA transaction when that is prepared, before anybody knows whether it will be committed.
 * Source: `binlog_rollback` and `binlog_savepoint_rollback` of MySQL and MariaDB.
 *
 * Rows are taken out of the open run, which is not closed within a transaction while it has room. Where they are published already, the line halts behind the statement that took them
 * back: it never leaves rows standing that are not in the source without a word, and goes on when it is started again.
 */
export class Rollbacks {
  readonly #lander: RunLander;
  #start: LandedMark;
  readonly #savepoints = new Map<string, LandedMark>();
  /** The XA transaction whose statements have ended; and those that are prepared, each with whether it had rows. */
  #xa = '';
  readonly #prepared = new Map<string, boolean>();
  /** Whether rows of one that is not among them may be published. */
  #hasForgotten = false;
  #fault: UmbusError | null = null;

  constructor(lander: RunLander) {
    this.#lander = lander;
    this.#start = lander.mark();
  }

  /** Forgets all, as at a new connection. `resumed`: whether an earlier one has published what was prepared before this one. */
  reset(resumed: boolean): void {
    this.#prepared.clear();
    this.#hasForgotten = resumed;
    this.#fault = null;
    this.begin();
  }

  /** To be called behind each event. Throws UMBUS_SOURCE_ROLLED_BACK when one took back what is published: it has been seen to, so that the line can go on behind it. */
  check(): void {
    if (this.#fault !== null) throw this.#fault;
  }

  /** A transaction has begun. */
  begin(): void {
    this.#start = this.#lander.mark();
    this.#savepoints.clear();
    this.#xa = '';
  }

  /**
   * Takes a statement about savepoints, rollbacks and XA transactions; gives whether it ends a transaction. `isNew`: whether no earlier dump has seen to it. `place`: for
   * messages.
   */
  statement(
    { kind, subject }: Pick<StatementFacts, 'kind' | 'subject'>,
    isNew: boolean,
    place: string,
  ): boolean {
    switch (kind) {
      case 'savepoint':
        this.#savepoint(subject);
        return false;
      case 'rollback-to':
        this.#rollbackTo(subject, isNew, place);
        return false;
      case 'xa-end':
        this.#xa = subject;
        return false;
      case 'rollback':
        this.#takeBack(this.#start, isNew, place);
        return true;
      case 'xa-commit':
        this.#prepared.delete(subject);
        return true;
      case 'xa-rollback':
        this.#xaRollback(subject, isNew, place);
        return true;
      default:
        return false;
    }
  }

  /** XA PREPARE; also XA COMMIT ... ONE PHASE, whose name does not come again. */
  prepared(): void {
    if (this.#xa === '') return;
    this.#prepared.set(this.#xa, this.#lander.landed > this.#start.landed);
    if (this.#prepared.size <= MAX_KEPT) return;
    dropFirst(this.#prepared);
    this.#hasForgotten = true;
  }

  #xaRollback(name: string, isNew: boolean, place: string): void {
    const hadRows = this.#prepared.get(name);
    this.#prepared.delete(name);
    if (!isNew || !(hadRows ?? this.#hasForgotten)) return;
    this.#fault ??= hadRows === undefined ? forgottenXa(place) : rolledBack('an XA transaction', place);
  }

  #savepoint(name: string): void {
    this.#savepoints.delete(name);
    this.#savepoints.set(name, this.#lander.mark());
    if (this.#savepoints.size > MAX_KEPT) dropFirst(this.#savepoints);
  }

  #rollbackTo(name: string, isNew: boolean, place: string): void {
    // A savepoint that was let go is older than all that are kept.
    this.#takeBack(this.#savepoints.get(name) ?? this.#start, isNew, place);
    let isLater = false;
    for (const each of [...this.#savepoints.keys()]) {
      if (isLater) this.#savepoints.delete(each);
      isLater ||= each === name;
    }
  }

  #takeBack(mark: LandedMark, isNew: boolean, place: string): void {
    if (isNew && this.#lander.takeBack(mark)) return;
    this.#lander.forget(mark);
    if (isNew) this.#fault ??= rolledBack('a transaction', place);
  }
}

function dropFirst(kept: Map<string, unknown>): void {
  for (const first of kept.keys()) {
    kept.delete(first);
    return;
  }
}

function rolledBack(what: string, place: string): UmbusError {
  return new UmbusError(
    'UMBUS_SOURCE_ROLLED_BACK',
    `The binlog has the rows of ${what}, and says at ${place} that they were rolled back, after they had been published.`,
    { details: { place } },
  );
}

function forgottenXa(place: string): UmbusError {
  return new UmbusError(
    'UMBUS_SOURCE_ROLLED_BACK',
    `The binlog says at ${place} that an XA transaction was rolled back. It was prepared before the line connected to the source, so its rows may have been published.`,
    { details: { place } },
  );
}
