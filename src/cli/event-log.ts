import { isUmbusError, messageOf } from '../core/errors.ts';
import type { Clock } from '../ports/clock.ts';

/** How much an operator should care. */
export type Level = 'info' | 'warn' | 'error';

/** Facts of an event: where, and how much. Never a payload value. */
export type EventFields = Readonly<Record<string, string | number | bigint | boolean | null | undefined>> & {
  readonly time?: never;
  readonly level?: never;
  readonly message?: never;
};

/** Writes one event: a full sentence with its facts. */
export type EventLog = (level: Level, message: string, fields?: EventFields) => void;

/** Code and message of an error as facts of an event. */
export function errorFields(error: unknown): { readonly code?: string; readonly reason: string } {
  return isUmbusError(error) ? { code: error.code, reason: error.message } : { reason: messageOf(error) };
}

/**
 * Events as lines: `2026-11-21T01:02:03.456Z info  Topology started. topology=appender`, or as one JSON object a line with `time`, `level`,
 * `message` and the fields.
 */
export function createEventLog(
  format: 'text' | 'json',
  clock: Clock,
  writeLine: (line: string) => void,
): EventLog {
  return (level, message, fields = {}) => {
    const time = new Date(clock.now()).toISOString();
    const given = Object.entries(fields).filter(([, value]) => value !== undefined);
    if (format === 'json') {
      const values = given.map(
        ([name, value]) => [name, typeof value === 'bigint' ? String(value) : value] as const,
      );
      writeLine(JSON.stringify({ time, level, message, ...Object.fromEntries(values) }));
      return;
    }
    const facts = given.map(([name, value]) => ` ${name}=${fieldText(value)}`).join('');
    writeLine(`${time} ${level.padEnd(5)} ${lineOf(message)}${facts}`);
  };
}

function fieldText(value: EventFields[string]): string {
  const text = String(value);
  return typeof value === 'string' && !/^[\w.:/@+,-]+$/.test(text) ? JSON.stringify(text) : text;
}

/** One event is one line, whatever a message from elsewhere holds. */
function lineOf(message: string): string {
  return message.replaceAll(/\s*\n\s*/g, ' ');
}
