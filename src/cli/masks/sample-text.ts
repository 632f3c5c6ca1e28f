import type { UmsValue } from '../../ums/types.ts';
import { plainText, shortText } from '../render/plain-text.ts';
import { tableText } from '../table-text.ts';
import type { Style } from '../terminal.ts';
import type { MaskedSample } from './side-by-side.ts';

const VALUE_CHARACTERS = 48;

/** A sample for people: what masks each column, then the masked values beside the plain ones. */
export function sampleText(sample: MaskedSample, paint: (style: Style, text: string) => string): string {
  const { table, columns, rows, problem } = sample;
  const lines = [paint('bold', plainText(table)), ''];
  lines.push(
    tableText(
      ['column', 'type', 'mask'].map(title => ({ title })),
      columns.map(({ name, type, key, mask, personal }) => [
        plainText(name) + (key ? ' (key)' : ''),
        type,
        mask !== null
          ? plainText(mask)
          : personal
            ? paint('yellow', 'none; by its name it may hold personal data')
            : paint('dim', 'none'),
      ]),
    ),
  );
  if (problem !== null) lines.push('', `${paint('red', 'would be parked')}  ${plainText(problem)}`);
  const shown = columns.flatMap(({ name, mask }, index) => (mask === null ? [] : [{ name, index }]));
  if (rows.length === 0) lines.push('', 'The table has no rows.');
  else if (shown.length > 0 && problem === null) {
    lines.push(
      '',
      tableText(
        ['row', 'column', 'plain', 'masked'].map(title => ({ title })),
        rows.flatMap(({ plain, masked, problem: failed }, row) =>
          shown.map(({ name, index }) => [
            String(row + 1),
            plainText(name),
            valueText(plain[index]),
            masked === null ? paint('red', plainText(failed ?? '')) : valueText(masked[index]),
          ]),
        ),
      ),
    );
  }
  return `${lines.join('\n')}\n`;
}

function valueText(value: UmsValue | undefined): string {
  return value === undefined ? '' : plainText(shortText(JSON.stringify(value), VALUE_CHARACTERS));
}
