import type { Check } from '../../adapters/mysql/index.ts';
import { plainText, shortText } from '../render/plain-text.ts';
import { tableText } from '../table-text.ts';
import type { Style } from '../terminal.ts';

const CELL_CHARACTERS = 60;

const states: readonly (readonly [Check['ok'], string, Style])[] = [
  [true, 'ok', 'green'],
  ['warn', 'warn', 'yellow'],
  [false, 'must change', 'red'],
];

/** The list for people: a line an item, and below those that are not ok why it matters and the statement that mends it; a count at the end. */
export function checksText(checks: readonly Check[], paint: (style: Style, text: string) => string): string {
  const rows = checks.map(({ item, ok, found, wanted }) => [
    stateText(ok, paint),
    item,
    cell(found),
    ok === true ? '' : cell(wanted),
  ]);
  const [titles, ...lines] = tableText(
    [{ title: '' }, { title: 'item' }, { title: 'found' }, { title: 'wanted' }],
    rows,
  ).split('\n');
  const body = checks.flatMap((check, index) => [lines[index] ?? '', ...detailLines(check, paint)]);
  const counts = states
    .map(([ok, name]) => [checks.filter(check => check.ok === ok).length, name] as const)
    .filter(([count]) => count > 0)
    .map(([count, name]) => `${count} ${name}`);
  return `${[titles ?? '', ...body, '', `${counts.join(', ')}.`].join('\n')}\n`;
}

function detailLines(check: Check, paint: (style: Style, text: string) => string): readonly string[] {
  if (check.ok === true) return [];
  const why = check.code === undefined ? check.why : `${check.code}: ${check.why}`;
  const lines = [`    ${plainText(why)}`];
  if (plainText(check.found).length > CELL_CHARACTERS) lines.unshift(`    Found: ${plainText(check.found)}`);
  if (plainText(check.wanted).length > CELL_CHARACTERS) lines.push(`    Wanted: ${plainText(check.wanted)}`);
  if (check.statement !== null) lines.push(`    ${paint('cyan', `${plainText(check.statement)};`)}`);
  return lines;
}

function stateText(ok: Check['ok'], paint: (style: Style, text: string) => string): string {
  const [, name, style] = states.find(([state]) => state === ok) ?? [ok, String(ok), 'red' as const];
  return paint(style, name);
}

function cell(text: string): string {
  return shortText(plainText(text), CELL_CHARACTERS);
}
