import type { LogRecord, TopicPartition } from '../../ports/log.ts';
import { jsonText } from '../json-text.ts';
import type { Style } from '../terminal.ts';
import { deadLetterOf } from './dead-letter.ts';
import { hexText, plainText, shortText, textOf } from './plain-text.ts';
import { rawRunOf, runText } from './run-text.ts';
import { umsLines, umsOf } from './ums-text.ts';

const TEXT_CHARACTERS = 400;
const HEX_BYTES = 64;

/**
 * A record for people: each line begins with partition/offset. UMS messages give a line a row, raw runs and dead letters one that sums them up, other
 * values their text or bytes.
 */
export function recordLines(
  place: TopicPartition,
  record: LogRecord,
  paint: (style: Style, text: string) => string,
): readonly string[] {
  const prefix = paint('dim', `${place.partition}/${record.offset}`);
  return bodyLines(record, paint).map(line => `${prefix}  ${line}`);
}

/**
 * A record's value for programs, on one line: a text value (UMS, JSON) as it is; anything else as a JSON object with the record's key and its value,
 * a raw run as its fields, other bytes as base64.
 */
export function recordJson(record: LogRecord): string {
  const { value } = record;
  const text = value === null ? null : textOf(value);
  if (text !== null && !/[\r\n]/.test(text)) return text;
  if (text !== null) return JSON.stringify(text);
  const key = record.key === null ? null : (textOf(record.key) ?? record.key);
  if (value === null) return jsonText({ key, value: null }, 0);
  const run = rawRunOf(value);
  return jsonText(run === null ? { key, base64: value } : run, 0);
}

function bodyLines(record: LogRecord, paint: (style: Style, text: string) => string): readonly string[] {
  const { value } = record;
  const dead = deadLetterOf(record);
  if (dead !== null) {
    const body = value === null ? '' : bodyText(value);
    return [`${paint('red', dead.code)}  ${paint('bold', dead.key)}  ${body}`];
  }
  const key = record.key === null ? '' : `${paint('bold', bytesText(record.key))}  `;
  if (value === null) return [`${key}(deleted)`];
  const message = umsOf(value);
  if (message !== null) return umsLines(message, paint);
  const run = rawRunOf(value);
  return [run === null ? `${key}${bytesText(value)}` : runText(run)];
}

function bodyText(value: Uint8Array): string {
  const run = rawRunOf(value);
  return run === null ? bytesText(value) : runText(run);
}

function bytesText(bytes: Uint8Array): string {
  const text = textOf(bytes);
  return text === null ? hexText(bytes, HEX_BYTES) : plainText(shortText(text, TEXT_CHARACTERS));
}
