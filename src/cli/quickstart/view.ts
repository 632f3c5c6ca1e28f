import type { UmsMessage } from '../../ums/types.ts';
import type { Reading } from './meter.ts';

/** Where things are, for people who want to look. */
export interface Places {
  readonly server: string;
  readonly lineFile: string;
  readonly logDir: string;
}

const number = (value: number): string => Math.round(value).toLocaleString('en');

/** One line of progress, for output that is no terminal. */
export function progressLine(reading: Reading, seconds: number): string {
  const { latency } = reading;
  const delay =
    latency === null
      ? ''
      : `, commit to result p50 ${latency.p50.toFixed(1)} ms, p99 ${latency.p99.toFixed(1)} ms`;
  return `${seconds.toFixed(0).padStart(4)} s  ${number(reading.rows)} rows in ${number(reading.messages)} messages${delay}`;
}

/** The screen, as lines no wider than `width`. */
export function screen(
  reading: Reading,
  places: Places,
  seconds: number,
  width: number,
  paint: (style: 'bold' | 'dim' | 'cyan', text: string) => string,
): readonly string[] {
  const { latency } = reading;
  const lines = [
    `${paint('bold', 'umbus quickstart')}   ${places.server} → extractor → dispatcher → appender → UMS   ${seconds.toFixed(0)} s`,
    '',
    paint('dim', '  table                 rows      rows/s'),
    ...reading.tables.map(({ table, rows, perSecond }) =>
      `  ${table.padEnd(16)} ${number(rows).padStart(9)} ${perSecond.toFixed(0).padStart(11)}`.slice(
        0,
        width,
      ),
    ),
    '',
    latency === null
      ? '  waiting for the first change'
      : `  latency from commit to result topic: p50 ${paint('cyan', `${latency.p50.toFixed(1)} ms`)}, p99 ${paint('cyan', `${latency.p99.toFixed(1)} ms`)}  (${number(latency.samples)} pulses)`,
    '',
    paint('dim', '  newest message'),
    ...(reading.newest === null ? [] : messageLines(reading.newest).map(line => `  ${line}`.slice(0, width))),
    '',
    paint('dim', `  The data lies in ${places.logDir}. In another terminal:`.slice(0, width)),
    `    npm run -s umbus -- status --line ${places.lineFile}`.slice(0, width),
    `    npm run -s umbus -- tail --line ${places.lineFile} shop.shop.result --follow`.slice(0, width),
    paint('dim', '  Ctrl-C stops everything.'),
  ];
  return lines;
}

/** A message in a few lines: protocol, namespace, fields, and its last tuples. */
function messageLines(message: UmsMessage): readonly string[] {
  const { protocol, schema, payload } = message;
  return [
    `${protocol.type} ${protocol.version}   ${schema.namespace}   ${payload.length} ${payload.length === 1 ? 'row' : 'rows'}`,
    schema.fields.map(field => `${field.name}:${field.type}`).join(' '),
    ...payload.slice(-3).map(({ tuple }) => JSON.stringify(tuple)),
  ];
}
