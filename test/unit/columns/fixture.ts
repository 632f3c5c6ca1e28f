import { definitionOf } from '../../../src/columns/definition.ts';
import { KnownColumns } from '../../../src/columns/known-columns.ts';
import type { DescribedColumn } from '../../../src/columns/table-columns.ts';

/** What is known of the columns of schema `shop` while statements pass, from an empty server on. */
export class PassingStatements {
  readonly known = new KnownColumns(schema => schema === 'shop');
  #place = 0;

  constructor(...statements: readonly string[]) {
    this.pass('CREATE DATABASE shop CHARACTER SET utf8mb4', ...statements);
  }

  pass(...statements: readonly string[]): this {
    return this.passIn('shop', ...statements);
  }

  /** With another default schema of the session. */
  passIn(schema: string, ...statements: readonly string[]): this {
    for (const sql of statements) {
      this.#place += 100;
      this.known.apply({
        definition: definitionOf(sql),
        schema,
        schemas: ['shop'],
        serverCharset: 'latin1',
        place: `bin.000001:${this.#place}`,
      });
    }
    return this;
  }

  /** The columns of a table as one text, with its key in front; `unknown` and `absent` for what has none. */
  columns(table: string): string {
    const known = this.known.table('shop', table);
    if (known === undefined) return 'absent';
    if (known.columns === undefined) return 'unknown';
    const { columns, primaryKey } = known.columns;
    return `(${primaryKey.join(',')}) ${columns.map(columnText).join(', ')}`;
  }
}

function columnText({
  name,
  type,
  sizes,
  unsigned,
  charset,
  labels,
  notNull,
  compressed,
}: DescribedColumn): string {
  const size = sizes ?? labels;
  return [
    name,
    `${type}${size === undefined ? '' : `(${size.join(',')})`}`,
    unsigned === true ? 'unsigned' : '',
    charset ?? '',
    notNull === true ? '!' : '',
    compressed === true ? 'compressed' : '',
  ]
    .filter(part => part !== '')
    .join(' ');
}
