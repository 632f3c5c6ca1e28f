import { Buffer } from 'node:buffer';
import type { PullAnswer, PullPlace } from '../change/pull-signal.ts';
import type { Store } from '../topology/types.ts';
import { pullTopicOf } from '../ums/namespace.ts';
import type { PullStates } from './append-holding.ts';
import type { AppendOutput } from './append-options.ts';
import type { PullState } from './pull-state.ts';

type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;

/** What is answered, without which pull it is about. */
export type AnswerText = DistributiveOmit<PullAnswer, keyof PullPlace>;

/** How the pulls of a task's tables stand, and what is answered to them, while one record is processed. Reads the store `pulls`, and writes it in {@link commit} alone. */
export class PullLedger implements PullStates {
  readonly #store: Store<string, PullState>;
  readonly #now = new Map<string, PullState>();
  /** In order. */
  readonly answers: PullAnswer[] = [];

  constructor(store: Store<string, PullState>) {
    this.#store = store;
  }

  /** The newest pull of a table, `schema.table`, as it is now; undefined before its first. */
  get(key: string): PullState | undefined {
    return this.#now.get(key) ?? this.#store.get(key);
  }

  set(key: string, state: PullState): void {
    this.#now.set(key, state);
  }

  /** Changes some of what is known of a table's pull; nothing where it has none. */
  update(key: string, some: Partial<PullState>): void {
    const state = this.get(key);
    if (state !== undefined) this.set(key, { ...state, ...some });
  }

  answer({ pull, schema, table }: PullPlace, answer: AnswerText): void {
    this.answers.push({ pull, schema, table, ...answer });
  }

  /** Answers whoever reads for the pull of a table, which has one. */
  tell(key: string, { pull }: Pick<PullState, 'pull'>, answer: AnswerText): void {
    const dot = key.indexOf('.');
    this.answer({ pull, schema: key.slice(0, dot), table: key.slice(dot + 1) }, answer);
  }

  commit(): void {
    for (const [key, state] of this.#now) this.#store.set(key, state);
  }
}

/** The record of an answer on `<ds>_pull`, whose key is the name of the pull. */
export function answerOutput(ds: string, answer: PullAnswer): AppendOutput {
  return {
    topic: pullTopicOf(ds),
    schema: '',
    table: answer.table,
    partition: 0,
    key: Buffer.from(answer.pull, 'utf8'),
    value: Buffer.from(JSON.stringify(answer), 'utf8'),
  };
}
