import type { Panel } from '../../../src/telemetry/dashboards/board.ts';

const perSecond = { rowsps: ' rows/s', recps: ' rec/s', mps: ' msg/s', ops: ' ops/s' } as const;

/** A value with its unit, as Grafana writes it. */
export function valueText(value: number, unit: Panel['unit']): string {
  switch (unit) {
    case 'short':
      return scaled(value, 1000, ['', ' K', ' Mil', ' Bil']);
    case 'bytes':
      return scaled(value, 1024, [' B', ' KiB', ' MiB', ' GiB', ' TiB']);
    case 'Bps':
      return scaled(value, 1000, [' B/s', ' kB/s', ' MB/s', ' GB/s']);
    case 'rowsps':
    case 'recps':
    case 'mps':
    case 'ops':
      return scaled(value, 1000, ['', 'K', 'M']) + perSecond[unit];
    case 'percentunit':
      return `${digits(value * 100)}%`;
    case 's':
      return secondsText(value);
  }
}

function secondsText(value: number): string {
  if (value === 0) return '0 s';
  if (value < 1e-3) return `${digits(value * 1e6)} µs`;
  if (value < 1) return `${digits(value * 1e3)} ms`;
  if (value < 60) return `${digits(value)} s`;
  if (value < 3600) return `${digits(value / 60)} mins`;
  return value < 86_400 ? `${digits(value / 3600)} hours` : `${digits(value / 86_400)} days`;
}

function scaled(value: number, step: number, names: readonly string[]): string {
  let rest = value;
  let at = 0;
  while (Math.abs(rest) >= step && at < names.length - 1) {
    rest /= step;
    at += 1;
  }
  return `${digits(rest)}${names[at]}`;
}

function digits(value: number): string {
  return String(Number(value.toPrecision(3)));
}
