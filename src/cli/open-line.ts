import { existsSync } from 'node:fs';
import type { KafkaNotice } from '../adapters/kafka/options.ts';
import type { EmbeddedLogSettings, KafkaLogSettings, Line } from '../config/line.ts';
import { type LineReading, readLine } from '../config/load-line.ts';
import { mistakesError } from '../config/mistake.ts';
import { secretMasker } from '../config/redaction.ts';
import { UmbusError } from '../core/errors.ts';
import type { Log } from '../ports/log.ts';
import type { Terminal } from './terminal.ts';

/** The line of a file, with its secrets masked in all that is told from then on. Errors: as `loadLine`. */
export function lineOf(file: string, terminal: Terminal): Line {
  return checkedLineOf(file, terminal).line;
}

/** As {@link lineOf}, with the warnings of the file. */
export function checkedLineOf(
  file: string,
  terminal: Terminal,
): { readonly line: Line; readonly warnings: LineReading['warnings'] } {
  const { line, mistakes, warnings } = readLine(file, terminal.environment);
  if (line === null) throw mistakesError(file, mistakes);
  terminal.protect(secretMasker(line));
  return { line, warnings };
}

/**
 * Opens the log of a line: as its owner, or to read beside the owner; on Kafka anybody may do both. Errors: UMBUS_LOG_UNKNOWN_TOPIC when a reader finds no
 * log there, UMBUS_LOG_LOCKED for a second owner, UMBUS_KAFKA_*, others of the adapter.
 */
export async function openLineLog(line: Line, mode: 'owner' | 'reader', tell?: TellNotice): Promise<Log> {
  const { log } = line;
  return log.kind === 'kafka' ? openKafka(line, log, tell) : openEmbedded(line, log, mode);
}

/** Told of what the log goes on after by itself, such as a broker that is away; not of a record's content. */
export type TellNotice = (notice: KafkaNotice) => void;

/** Where the log of a line is, for people. */
export function logPlace({ log }: Pick<Line, 'log'>): string {
  return log.kind === 'kafka' ? `Kafka at ${log.brokers.join(', ')}` : log.dir;
}

async function openKafka(line: Line, log: KafkaLogSettings, tell: TellNotice = () => {}): Promise<Log> {
  const [{ openKafkaLog }, { systemClock }] = await Promise.all([
    import('../adapters/kafka/index.ts'),
    import('../adapters/system-clock.ts'),
  ]);
  return await openKafkaLog({
    ...log,
    clientId: `umbus-${line.ds}`,
    transactions: line.guarantee === 'exactly-once',
    clock: systemClock,
    onNotice: tell,
  });
}

async function openEmbedded(line: Line, log: EmbeddedLogSettings, mode: 'owner' | 'reader'): Promise<Log> {
  const { dir, maxBytes } = log;
  if (mode === 'reader' && !existsSync(dir)) {
    throw new UmbusError(
      'UMBUS_LOG_UNKNOWN_TOPIC',
      `There is no log in ${dir} yet: the line ${line.ds} has not run, or the file names another directory.`,
      { details: { dir } },
    );
  }
  return openLogIn(dir, maxBytes, mode);
}

/** Opens the embedded log in a directory. Loads the storage engine only now, so that other commands start without it. Errors: UMBUS_LOG_*. */
export async function openLogIn(dir: string, maxBytes: number, mode: 'owner' | 'reader'): Promise<Log> {
  const [{ openEmbeddedLog }, { systemClock }] = await Promise.all([
    import('../adapters/embedded/index.ts'),
    import('../adapters/system-clock.ts'),
  ]);
  return openEmbeddedLog({ dir, mode, maxBytes, clock: systemClock });
}
