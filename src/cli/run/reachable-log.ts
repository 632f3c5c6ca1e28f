import type { KafkaNotice } from '../../adapters/kafka/options.ts';
import type { Line } from '../../config/line.ts';
import { errorTable } from '../../core/errors.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Log } from '../../ports/log.ts';
import type { EventLog } from '../event-log.ts';
import { logPlace, openLineLog } from '../open-line.ts';
import { keepTrying } from './keep-trying.ts';

/**
 * Opens the log of a line as its owner, and waits while no broker of its cluster can be reached, however long that takes. Null: `stopping` aborted first. Errors: as
 * `openLineLog`, without UMBUS_KAFKA_UNREACHABLE.
 */
export async function openReachableLog(
  line: Line,
  clock: Clock,
  events: EventLog,
  stopping: AbortSignal,
): Promise<Log | null> {
  const tell = ({ kind, code, message }: KafkaNotice): void => {
    const worrying = kind === 'broker-unreachable' || kind === 'retry';
    const remedy = code === undefined ? undefined : errorTable[code].remedy;
    events(worrying ? 'warn' : 'info', message, { code, remedy });
  };
  const open = (): Promise<Log> => openLineLog(line, 'owner', tell);
  return await keepTrying('The log', logPlace(line), open, { clock, events, stopping });
}
