/** Tables full of values that nobody may see, and masks that fail in every way. */
import type { Server } from './servers.ts';

/** The values: each has signs that JSON escapes, and that more than one byte encodes. */
export const MARKERS = {
  text: 'LEAK"text\\0815 größe',
  key: 'LEAK-key-4711',
  after: 'LEAK-after-image',
  blob: 'LEAK-blob-3141592',
  json: 'LEAK-json-2718281',
  long: '9087654321123456',
  decimal: '87654321.12',
} as const;

/** Tables that fail, by the function that masks their column `secret`. */
export const FAILING = [
  'throws',
  'promise',
  'nothing',
  'object',
  'notANumber',
  'huge',
  'forEver',
  'exits',
  'wrongType',
  'halfACharacter',
] as const;

/** What these functions do, as the module that a user would write. */
export const MASKS_MODULE = `
type Row = Readonly<Record<string, unknown>>;
const all = (value: string, row: Row): string => \`\${value} \${JSON.stringify(row)}\`;
class LEAKError extends Error {}
export const initial = (value: string): string => value.slice(0, 4);
export function throws(value: string, row: Row): string {
  const error = new LEAKError(all(value, row), { cause: value });
  error.name = value;
  throw error;
}
export async function promise(value: string): Promise<string> {
  await Promise.resolve();
  throw new Error(value);
}
export const nothing = (): undefined => undefined;
export const object = (value: string): unknown => ({ value, toJSON: () => value });
export const notANumber = (): number => Number.NaN;
export const huge = (value: string): string => value.repeat(1_000_000);
export function forEver(): string { for (;;) {} }
export const exits = (): never => process.exit(9);
export const wrongType = (): number => 7;
export const halfACharacter = (value: string): string => \`\${value}\\ud83d\`;
/** Gives a value, and leaves behind all that could tell the plain one. */
export function prints(value: string, row: Row): string {
  console.log(value);
  console.error(value);
  process.stdout.write(all(value, row));
  setTimeout(() => { throw new Error(value); }, 0);
  void Promise.reject(new Error(value));
  return 'printed';
}
`;

/** The masks of schema \`shop\`, in the order that counts, with the indentation of a line file. */
export const MASKS_YAML = `    masks:
${FAILING.map(name => `      '${name}_t.secret': { type: function, module: ./masks.ts, export: ${name}, columns: all }\n`).join('')}      'prints_t.secret': { type: function, module: ./masks.ts, export: prints, columns: all }
      'unfit.secret': { type: bucket, size: 10 }
      'good.id': { type: hmac-sha256, key: pii }
      '*.secret': { type: md5, salt: pii }
      '*.other': { type: regex, regex: '([0-9])', replacement: '$1' }
      '*.photo': default-value
      '*.doc': { type: hmac-sha256, key: pii }
      '*.number': { type: digits, key: pii }
      '*.amount': { type: bucket, size: 1000000 }
`;

const sqlText = (text: string): string => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`;

/** The tables, with nothing in them. */
export async function createTables(server: Server): Promise<void> {
  await server.query('CREATE DATABASE shop CHARACTER SET utf8mb4');
  for (const name of [...FAILING, 'prints']) {
    await server.query(
      `CREATE TABLE shop.${name}_t (id INT PRIMARY KEY, secret VARCHAR(200), other VARCHAR(200))`,
    );
  }
  await server.query('CREATE TABLE shop.unfit (id INT PRIMARY KEY, secret VARCHAR(200))');
  await server.query(
    `CREATE TABLE shop.good (id VARCHAR(100) PRIMARY KEY, secret VARCHAR(200), other VARCHAR(200), photo BLOB, doc TEXT, number BIGINT,
     amount DECIMAL(20,2))`,
  );
  await server.query('CREATE TABLE shop.bystander (id INT PRIMARY KEY)');
  await server.query('CREATE TABLE shop.pulled (id INT PRIMARY KEY, secret VARCHAR(200), number BIGINT)');
  await server.query('CREATE TABLE shop.uncut (secret VARCHAR(100) PRIMARY KEY)');
}

/** Rows, changes and deletions with the markers in all tables. */
export async function changeTables(server: Server): Promise<void> {
  const { text, key, after, blob, json, long, decimal } = MARKERS;
  for (const name of [...FAILING, 'prints']) {
    await server.query(
      `INSERT INTO shop.${name}_t VALUES (1, ${sqlText(text)}, ${sqlText(after)}), (2, NULL, NULL)`,
    );
    await server.query(`UPDATE shop.${name}_t SET secret = ${sqlText(after)} WHERE id = 1`);
  }
  await server.query(`INSERT INTO shop.unfit VALUES (1, ${sqlText(text)})`);
  const good = [key, text, after, blob].map(sqlText).join(', ');
  await server.query(
    `INSERT INTO shop.good VALUES (${good}, ${sqlText(JSON.stringify({ a: json }))}, ${long}, ${decimal})`,
  );
  await server.query(`UPDATE shop.good SET secret = ${sqlText(after)}`);
  await server.query(`UPDATE shop.good SET id = ${sqlText(`${key}-new`)}`);
  await server.query('DELETE FROM shop.good');
  await server.query(
    `INSERT INTO shop.pulled VALUES (1, ${sqlText(text)}, ${long}), (2, ${sqlText(after)}, NULL)`,
  );
  await server.query(`INSERT INTO shop.uncut VALUES (${sqlText(key)}), (${sqlText(after)})`);
  await server.query('INSERT INTO shop.bystander VALUES (42)');
}
