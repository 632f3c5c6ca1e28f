import type { Board, Panel } from '../../../src/telemetry/dashboards/board.ts';
import { valueText } from './value-text.ts';

/** A line of a panel. */
export interface PlotSeries {
  readonly name: string;
  /** Milliseconds since 1970-01-01 UTC, and the value; oldest first. */
  readonly points: readonly (readonly [ms: number, value: number])[];
}

const COLUMN = 60;
const WIDTH = 24 * COLUMN;
const HEIGHTS = { timeseries: 250, stat: 110 } as const;
const HEAD = 34;
const LEGEND_MAX = 8;
const COLORS = ['#73bf69', '#f2cc0c', '#5794f2', '#ff9830', '#f2495c', '#b877d9', '#8ab8ff', '#ffa6b0'];

/** A board as Grafana would lay it out, with what its queries gave: `seriesOf` gives the lines of a panel. */
export function boardSvg(
  { title, rows }: Board,
  subtitle: string,
  seriesOf: (panel: Panel) => readonly PlotSeries[],
): string {
  const parts: string[] = [];
  let y = HEAD;
  for (const row of rows) {
    parts.push(text(8, y + 18, row.title, 14, '#ffffff'));
    y += 28;
    let x = 0;
    let height = 0;
    for (const panel of row.panels) {
      if (x + panel.width > 24) {
        x = 0;
        y += height;
        height = 0;
      }
      const box = { x: x * COLUMN, y, width: panel.width * COLUMN, height: HEIGHTS[panel.kind] };
      parts.push(panelSvg(panel, seriesOf(panel), box));
      x += panel.width;
      height = Math.max(height, box.height);
    }
    y += height;
  }
  const whole = `<rect width="${WIDTH}" height="${y}" fill="#111217"/>${text(8, 22, `umbus: ${title}, ${subtitle}`, 16, '#ffffff')}`;
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${y}" font-family="sans-serif">${whole}${parts.join('')}</svg>\n`;
}

interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

function panelSvg(panel: Panel, series: readonly PlotSeries[], { x, y, width, height }: Box): string {
  const frame = `<rect x="3" y="3" width="${width - 6}" height="${height - 6}" fill="#181b1f" stroke="#2c3235"/>`;
  const inside =
    panel.kind === 'stat' ? statSvg(panel, series, width) : chartSvg(panel, series, width, height);
  return `<g transform="translate(${x} ${y})">${frame}${text(12, 22, panel.title, 13, '#ccccdc')}${inside}</g>`;
}

function statSvg({ unit, alert }: Panel, series: readonly PlotSeries[], width: number): string {
  const last = series[0]?.points.at(-1)?.[1];
  if (last === undefined) return text(width / 2 - 30, 70, 'No data', 16, '#f2495c');
  const bad = alert !== undefined && ('from' in alert ? last >= alert.from : last < alert.below);
  const color = bad ? '#f2495c' : '#73bf69';
  return text(12, 76, valueText(last, unit), 34, color) + text(12, 96, series[0]?.name ?? '', 10, '#8e8e9c');
}

function chartSvg({ unit }: Panel, series: readonly PlotSeries[], width: number, height: number): string {
  const points = series.flatMap(({ points: some }) => some);
  if (points.length === 0) return text(width / 2 - 30, height / 2, 'No data', 16, '#f2495c');
  const [left, top, right, bottom] = [70, 34, width - 16, height - 52];
  const times = points.map(([ms]) => ms);
  const [from, to] = [Math.min(...times), Math.max(...times)];
  const most = Math.max(...points.map(([, value]) => value)) * 1.05 || 1;
  const atX = (ms: number): number => left + ((ms - from) / Math.max(1, to - from)) * (right - left);
  const atY = (value: number): number => bottom - (value / most) * (bottom - top);
  const grid = [0, 0.25, 0.5, 0.75, 1].map(part => {
    const line = `<line x1="${left}" x2="${right}" y1="${atY(part * most)}" y2="${atY(part * most)}" stroke="#2c3235"/>`;
    return line + text(10, atY(part * most) + 4, valueText(part * most, unit), 10, '#8e8e9c');
  });
  const clock = [from, to].map((ms, i) =>
    text(i === 0 ? left : right - 44, bottom + 14, new Date(ms).toISOString().slice(11, 19), 10, '#8e8e9c'),
  );
  const lines = series.map(({ points: some }, i) => {
    const path = some.map(([ms, value]) => `${atX(ms).toFixed(1)},${atY(value).toFixed(1)}`).join(' ');
    const [first] = some;
    // A line of one point is not seen.
    const dot =
      some.length === 1 && first !== undefined
        ? `<circle cx="${atX(first[0])}" cy="${atY(first[1])}" r="3" fill="${colorOf(i)}"/>`
        : '';
    return `<polyline points="${path}" fill="none" stroke="${colorOf(i)}" stroke-width="1.5"/>${dot}`;
  });
  return [...grid, ...clock, ...lines, legendSvg(series, left, height, right)].join('');
}

function legendSvg(series: readonly PlotSeries[], left: number, height: number, right: number): string {
  const shown = series.slice(0, LEGEND_MAX);
  const columns = Math.min(4, shown.length);
  const wide = (right - left) / columns;
  const names = shown.map(({ name }, i) => {
    const x = left + (i % columns) * wide;
    const y = height - 22 + Math.floor(i / columns) * 13;
    const long = Math.floor(wide / 5.6) - 3;
    const short = name.length > long ? `${name.slice(0, long)}…` : name;
    return `<rect x="${x}" y="${y - 7}" width="8" height="3" fill="${colorOf(i)}"/>${text(x + 12, y, short, 10, '#ccccdc')}`;
  });
  const more = series.length - shown.length;
  return names.join('') + (more > 0 ? text(10, height - 9, `+${more}`, 10, '#ccccdc') : '');
}

function colorOf(index: number): string {
  return COLORS[index % COLORS.length] ?? '#ffffff';
}

function text(x: number, y: number, words: string, size: number, color: string): string {
  const safe = words.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
  return `<text x="${x}" y="${y}" font-size="${size}" fill="${color}">${safe}</text>`;
}
