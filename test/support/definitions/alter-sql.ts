import type { AnyServerKind } from '../servers.ts';
import { columnName, columnSql, columnType, isKeyable, losesLabels } from './column-sql.ts';
import type { Dice } from './dice.ts';
import { quoted, type SeenColumn, type SeenTable } from './seen-tables.ts';

const MOST_CLAUSES = 3;
const TABLE_CHARSETS = ['latin1', 'utf8mb4', 'cp1251', 'cp1250', 'gbk'];

/** A table's default character set, in one of its spellings. */
export function charsetOption(dice: Dice): string {
  const charset = dice.of(TABLE_CHARSETS);
  return dice.of([
    `DEFAULT CHARACTER SET ${charset}`,
    `CHARSET=${charset}`,
    `CHARACTER SET = ${charset}`,
    `DEFAULT CHARSET ${charset} COLLATE ${charset}_bin`,
    `COLLATE ${charset}_bin`,
  ]);
}

function place(columns: readonly SeenColumn[], dice: Dice): string {
  return dice.of(['', '', ' FIRST', ` AFTER ${quoted(dice.of(columns).name)}`]);
}

/** The columns of a primary key. */
export function keyColumns(columns: readonly SeenColumn[], dice: Dice): string {
  const able = columns.filter(isKeyable);
  if (able.length === 0) return '`id`';
  return dice
    .some(able, 2)
    .map(({ name }) => quoted(name))
    .join(', ');
}

type Clause = (kind: AnyServerKind, table: SeenTable, dice: Dice) => string;

const add: Clause = (kind, { columns }, dice) =>
  `ADD ${dice.of(['', 'COLUMN '])}${columnSql(kind, columnName(dice), dice)}${place(columns, dice)}`;

const addSeveral: Clause = (kind, _, dice) =>
  `ADD COLUMN (${columnSql(kind, columnName(dice), dice)}, ${columnSql(kind, columnName(dice), dice)})`;

const drop: Clause = (_, { columns }, dice) =>
  `DROP ${dice.of(['', 'COLUMN '])}${quoted(dice.of(columns).name)}`;

/** Swaps two columns of one type, or renames one. */
const change: Clause = (_, { columns }, dice) => {
  const first = dice.of(columns);
  const second = columns.find(({ name, whole }) => name !== first.name && whole === first.whole);
  if (second === undefined || dice.once(3)) {
    return `CHANGE ${quoted(first.name)} ${quoted(columnName(dice))} ${first.whole}${place(columns, dice)}`;
  }
  const [one, two] = [quoted(first.name), quoted(second.name)];
  return `CHANGE ${one} ${two} ${first.whole}, CHANGE COLUMN ${two} ${one} ${second.whole}`;
};

const modify: Clause = (kind, { columns }, dice) => {
  const column = dice.of(columns);
  const type = dice.once(3) ? columnType(kind, dice) : column.whole;
  return `MODIFY ${dice.of(['', 'COLUMN '])}${quoted(column.name)} ${type}${place(columns, dice)}`;
};

const rename: Clause = (kind, { columns }, dice) => {
  const { name, whole } = dice.of(columns);
  const [from, to] = [quoted(name), quoted(columnName(dice))];
  return kind === 'mysql56' ? `CHANGE COLUMN ${from} ${to} ${whole}` : `RENAME COLUMN ${from} TO ${to}`;
};

const rekey: Clause = (_, { columns }, dice) => {
  const hasKey = columns.some(({ inPrimaryKey }) => inPrimaryKey);
  const key = `ADD ${dice.of(['', 'CONSTRAINT `pk` '])}PRIMARY KEY (${keyColumns(columns, dice)})`;
  if (!hasKey) return key;
  return dice.of(['DROP PRIMARY KEY', `DROP PRIMARY KEY, ${key}`]);
};

const plain: Clause = (_, { columns }, dice) =>
  dice.of([
    `ADD INDEX \`i${dice.below(4)}\` (${keyColumns(columns, dice)})`,
    `DROP INDEX \`i${dice.below(4)}\``,
    "COMMENT = 'ADD x INT, DROP a'",
    'ENGINE = InnoDB',
    'ROW_FORMAT = DYNAMIC',
    'ALGORITHM = COPY',
    `ALTER ${quoted(dice.of(columns).name)} SET DEFAULT 1`,
  ]);

const charset: Clause = (_, __, dice) => charsetOption(dice);

const CLAUSES: readonly Clause[] = [
  add,
  add,
  add,
  addSeveral,
  drop,
  drop,
  change,
  change,
  modify,
  modify,
  rename,
  rekey,
  plain,
  charset,
];

/** What MariaDB knows beside. */
const ifThere: Clause = (kind, { columns }, dice) =>
  dice.of([
    `DROP COLUMN IF EXISTS ${quoted(columnName(dice))}`,
    `ADD COLUMN IF NOT EXISTS ${columnSql(kind, columnName(dice), dice)}${place(columns, dice)}`,
  ]);

/** The clauses of an ALTER TABLE. */
export function alteration(kind: AnyServerKind, table: SeenTable, dice: Dice): string {
  if (dice.once(10) && !table.columns.some(losesLabels)) {
    const to = dice.of(TABLE_CHARSETS);
    return `CONVERT TO CHARACTER SET ${to}${dice.of(['', ` COLLATE ${to}_bin`])}`;
  }
  const clauses = kind === 'mariadb' ? [...CLAUSES, ifThere] : CLAUSES;
  const count = dice.once(2) ? 1 + dice.below(MOST_CLAUSES) : 1;
  return Array.from({ length: count }, () => dice.of(clauses)(kind, table, dice)).join(', ');
}
