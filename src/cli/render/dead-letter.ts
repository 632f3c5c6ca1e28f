import { Buffer } from 'node:buffer';
import type { LogRecord } from '../../ports/log.ts';
import { plainText, textOf } from './plain-text.ts';

/** What the headers of a dead-letter record say (ums-schema/README.md, dead letters). Parts that a record lacks are ''. */
export interface DeadLetter {
  /** What was parked, for example `shop.orders`: the record's key. */
  readonly key: string;
  readonly topology: string;
  readonly stage: string;
  readonly task: string;
  readonly topic: string;
  readonly partition: string;
  readonly offset: string;
  readonly code: string;
  readonly message: string;
  /** When it was parked, as the runtime wrote it. */
  readonly at: string;
}

/** The dead letter that a record is; null when it has no such headers. */
export function deadLetterOf(record: LogRecord): DeadLetter | null {
  const header = (name: string): string => {
    const bytes = record.headers[`dead.${name}`];
    return bytes === undefined ? '' : plainText(Buffer.from(bytes).toString('utf8'));
  };
  if (record.headers['dead.code'] === undefined && record.headers['dead.topology'] === undefined) return null;
  const key =
    record.key === null ? '' : plainText(textOf(record.key) ?? Buffer.from(record.key).toString('hex'));
  return {
    key,
    topology: header('topology'),
    stage: header('stage'),
    task: header('task'),
    topic: header('topic'),
    partition: header('partition'),
    offset: header('offset'),
    code: header('code'),
    message: header('message'),
    at: header('at'),
  };
}
