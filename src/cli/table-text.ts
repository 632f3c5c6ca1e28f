/** A column of {@link tableText}. */
export interface Column {
  readonly title: string;
  readonly align?: 'left' | 'right';
}

/**
 * Rows as aligned columns with a line of titles, two spaces apart, without a border. Cells are single lines; styles may be in them. The last
 * column is not padded.
 */
export function tableText(columns: readonly Column[], rows: readonly (readonly string[])[]): string {
  const lines = [columns.map(column => column.title), ...rows];
  const widths = columns.map((_, index) => Math.max(...lines.map(cells => widthOf(cells[index] ?? ''))));
  return lines
    .map(cells =>
      columns
        .map((column, index) => {
          const text = cells[index] ?? '';
          const gap = ' '.repeat(Math.max(0, (widths[index] ?? 0) - widthOf(text)));
          return column.align === 'right' ? gap + text : text + gap;
        })
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: the sequences that styleText adds begin with ESC.
const stylePattern = /\u001b\[\d+m/g;

function widthOf(text: string): number {
  return Array.from(text.replaceAll(stylePattern, '')).length;
}
