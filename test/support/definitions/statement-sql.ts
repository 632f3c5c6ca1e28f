/** Random statements, made for the tables that a server has at the moment. */
import type { AnyServerKind } from '../servers.ts';
import { alteration, charsetOption, keyColumns } from './alter-sql.ts';
import { columnName, columnSql, columnType, valueFor } from './column-sql.ts';
import type { Dice } from './dice.ts';
import { fullName, quoted, type SeenTable } from './seen-tables.ts';

/** Where statements are made. */
export interface Scene {
  readonly kind: AnyServerKind;
  /** The schemas; the last one is not subscribed. */
  readonly schemas: readonly string[];
  readonly tables: readonly SeenTable[];
  /** Whether nothing is done after which a line that is behind cannot know columns: see {@link makes}. */
  readonly plain: boolean;
  /** Another number with each call. */
  readonly count: () => number;
}

const TABLES = ['t', 'u', 'v', 'größe', 't2'];
const COLUMNS_AT_MOST = 6;
const ROWS_AT_MOST = 3;

type Make = (scene: Scene, dice: Dice) => readonly string[];

/** A name that a table may have, or has. */
function newName({ schemas, plain }: Scene, dice: Dice): string {
  // Two in three are where the session is.
  const name = quoted(dice.of(plain ? TABLES : [...TABLES, 'T']));
  return dice.once(3) ? `${quoted(dice.of(schemas))}.${name}` : name;
}

function create({ kind, ...scene }: Scene, dice: Dice, head: string): string {
  const names = [...new Set(Array.from({ length: 1 + dice.below(COLUMNS_AT_MOST) }, () => columnName(dice)))];
  const columns = names.map(name => columnSql(kind, name, dice));
  const elements = dice.of([
    ['`id` INT PRIMARY KEY', ...columns],
    [...columns, '`id` INT', 'PRIMARY KEY (`id`)'],
    [
      '`id` BIGINT UNSIGNED',
      ...columns,
      'CONSTRAINT `p k` PRIMARY KEY USING BTREE (`id` ASC)',
      'KEY `i0` (`id`)',
    ],
    ['`id` BOOLEAN', ...columns],
    [`\`id\` INT NOT NULL AUTO_INCREMENT KEY COMMENT ','`, ...columns],
    ['`id` INT', ...columns],
    ['`x` VARCHAR(20)', '`id` INT', ...columns, 'PRIMARY KEY (`id`, `x`)'],
  ]);
  const options = dice.of([
    '',
    '',
    charsetOption(dice),
    `ENGINE=InnoDB ${charsetOption(dice)} COMMENT 'CHARSET=gbk'`,
    'ENGINE=MyISAM',
    // Other servers read its rows in another order.
    kind === 'mysql56' ? '/*!50100 COMMENT "," */' : '/*!50100 PARTITION BY HASH (`id`) PARTITIONS 2 */',
  ]);
  return `${head} ${newName({ kind, ...scene }, dice)} (${elements.join(', ')}) ${options}`;
}

const created: Make = (scene, dice) => {
  const heads = ['CREATE TABLE', 'CREATE TABLE', 'CREATE TABLE IF NOT EXISTS'];
  const own = scene.kind === 'mariadb' ? ['CREATE OR REPLACE TABLE'] : [];
  return [create(scene, dice, dice.of([...heads, ...own]))];
};

const copied: Make = (scene, dice) => {
  const from = fullName(dice.of(scene.tables));
  const to = newName(scene, dice);
  const like = [
    [`CREATE TABLE ${to} LIKE ${from}`],
    [`CREATE TABLE ${to} (LIKE ${from})`],
    [`CREATE TABLE IF NOT EXISTS ${to} LIKE ${from}`],
  ];
  const select = [
    [`CREATE TABLE ${to} SELECT * FROM ${from}`],
    [`CREATE TABLE ${to} (\`id\` BIGINT UNSIGNED) ${charsetOption(dice)} AS SELECT * FROM ${from}`],
  ];
  // With GTIDs, MySQL 5.6 refuses the others.
  return dice.of(scene.kind === 'mysql56' ? like : [...like, ...select]);
};

const altered: Make = ({ kind, tables }, dice) => {
  const table = dice.of(tables);
  return [`ALTER TABLE ${fullName(table)} ${alteration(kind, table, dice)}`];
};

const renamed: Make = (scene, dice) => {
  const [from, other] = [fullName(dice.of(scene.tables)), fullName(dice.of(scene.tables))];
  const to = newName(scene, dice);
  const more = columnSql(scene.kind, columnName(dice), dice);
  return dice.of([
    [`RENAME TABLE ${from} TO ${to}`],
    [`ALTER TABLE ${from} RENAME ${dice.of(['', 'TO ', 'AS '])}${to}`],
    [`ALTER TABLE ${from} ADD ${more}, RENAME TO ${to}`],
    [`RENAME TABLE ${from} TO \`between\`, ${other} TO ${from}, \`between\` TO ${other}`],
  ]);
};

const dropped: Make = ({ tables }, dice) => {
  const [one, other] = [fullName(dice.of(tables)), fullName(dice.of(tables))];
  return dice.of([
    [`DROP TABLE ${one}`],
    [`DROP TABLE IF EXISTS ${one}, ${other}`],
    [`TRUNCATE TABLE ${one}`],
  ]);
};

const indexed: Make = ({ tables }, dice) => {
  const table = dice.of(tables);
  return dice.of([
    [`CREATE INDEX \`i${dice.below(4)}\` ON ${fullName(table)} (${keyColumns(table.columns, dice)})`],
    [`DROP INDEX \`PRIMARY\` ON ${fullName(table)}`],
  ]);
};

const ofSchema: Make = ({ schemas }, dice) => {
  const schema = quoted(dice.of(schemas));
  return dice.of([
    [`ALTER DATABASE ${schema} ${charsetOption(dice)}`],
    [`USE ${schema}`],
    [`CREATE DATABASE IF NOT EXISTS ${schema} ${charsetOption(dice)}`],
    [`DROP DATABASE ${schema}`, `CREATE DATABASE ${schema} ${charsetOption(dice)}`, `USE ${schema}`],
  ]);
};

/** In the binlog as a statement, or not at all; the name may be that of a table. */
const temporary: Make = (scene, dice) => {
  const name = fullName(dice.of(scene.tables));
  const type = columnType(scene.kind, dice);
  return [
    `CREATE TEMPORARY TABLE ${name} (\`id\` INT, \`a\` ${type})`,
    `INSERT INTO ${name} (\`id\`) VALUES (1)`,
    `DROP TEMPORARY TABLE IF EXISTS ${name}`,
  ];
};

/** Statements whose text is not understood, so that the server has to be asked. */
const opaque: Make = ({ tables }, dice) => {
  const table = dice.of(tables);
  const name = fullName(table);
  const column = quoted(columnName(dice));
  return dice.of([
    [`ALTER TABLE ${name} ADD ${column} NATIONAL CHAR(5)`],
    [`ALTER TABLE ${name} ADD ${column} LONG VARCHAR`],
    ['SET NAMES latin1', `ALTER TABLE ${name} ADD ${column} INT COMMENT 'é'`, 'SET NAMES utf8mb4'],
    ["SET sql_mode = 'ANSI_QUOTES'", `ALTER TABLE ${name} ADD "b" INT DEFAULT 5`, "SET sql_mode = ''"],
  ]);
};

function insert({ count }: Scene, table: SeenTable, dice: Dice): string {
  const names = table.columns.map(({ name }) => quoted(name)).join(', ');
  const row = (): string => table.columns.map(column => valueFor(column, count(), dice)).join(', ');
  const rows = Array.from({ length: 1 + dice.below(ROWS_AT_MOST) }, () => `(${row()})`);
  return `${dice.of(['INSERT', 'INSERT', 'REPLACE'])} INTO ${fullName(table)} (${names}) VALUES ${rows.join(', ')}`;
}

function changeRows(scene: Scene, table: SeenTable, dice: Dice): string {
  const column = dice.of(table.columns);
  if (dice.once(4)) return `DELETE FROM ${fullName(table)} LIMIT 1`;
  const value = valueFor(column, scene.count(), dice);
  const most = column.inPrimaryKey || dice.once(2) ? ' LIMIT 1' : '';
  return `UPDATE ${fullName(table)} SET ${quoted(column.name)} = ${value}${most}`;
}

const rows: Make = (scene, dice) => {
  const table = dice.of(scene.tables);
  const changes = [insert(scene, table, dice), changeRows(scene, table, dice)];
  return dice.once(3) ? ['BEGIN', ...changes, 'COMMIT'] : changes;
};

/** Rows for every table that there is. */
export const rowsOfAll = (scene: Scene, dice: Dice): readonly string[] =>
  scene.tables.map(table => insert(scene, table, dice));

/**
 * What a random statement is about, each with how often it comes. After those that are not plain, and others about a schema that is not subscribed or names that differ in case, a line
 * that is behind parks the table: it cannot know.
 */
export const makes = {
  rows: [rows, 8],
  altered: [altered, 8],
  created: [created, 3],
  copied: [copied, 2],
  renamed: [renamed, 2],
  dropped: [dropped, 1],
  indexed: [indexed, 1],
  ofSchema: [ofSchema, 1],
  temporary: [temporary, 1],
  opaque: [opaque, 1],
} as const satisfies Readonly<Record<string, readonly [Make, number]>>;

/** Name of one of {@link makes}. */
export type Subject = keyof typeof makes;

const NOT_PLAIN: ReadonlySet<Subject> = new Set(['temporary', 'opaque']);

/** Statements about a subject; where there is no table yet, one that makes one. */
export function statementsAbout(subject: Subject, scene: Scene, dice: Dice): readonly string[] {
  const [make] = makes[scene.plain && NOT_PLAIN.has(subject) ? 'rows' : subject];
  return scene.tables.length === 0 && subject !== 'ofSchema' ? created(scene, dice) : make(scene, dice);
}
