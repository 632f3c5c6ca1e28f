/**
 * Names of tables and columns as names of Avro (Avro 1.11 specification, "Names": `[A-Za-z_][A-Za-z0-9_]*`). Two names never become one, and a name becomes the
 * same whatever else is in the table.
 */

const ILLEGAL = /[^A-Za-z0-9_]/gu;
const ESCAPE_LIKE = /_(?=x[0-9a-f])/g;
const FIRST_DIGIT = /^[0-9]/;

/** Names that Avro keeps for its own types. */
const TYPE_NAMES: ReadonlySet<string> = new Set(
  'null boolean int long float double bytes string record enum array map fixed error union'.split(' '),
);

/** Not a property like others for readers in JavaScript. */
const UNSAFE = '__proto__';

/**
 * The Avro name of a table or a schema of the source. What Avro does not allow is written `_x<code point in hex>_`: `order-lines` becomes `order_x2d_lines`. So are a
 * digit at the beginning, the first letter of a name of an Avro type, and an underscore that would read as the start of such an escape.
 */
export function avroName(name: string): string {
  const legal = name.replace(ESCAPE_LIKE, escaped).replace(ILLEGAL, escaped).replace(FIRST_DIGIT, escaped);
  return TYPE_NAMES.has(legal) ? firstEscaped(legal) : legal;
}

/** The Avro name of a column: as {@link avroName}, and other than those of `taken`. */
export function avroFieldName(name: string, taken: ReadonlySet<string>): string {
  const legal = avroName(name);
  return taken.has(legal) || legal === UNSAFE ? firstEscaped(legal) : legal;
}

function firstEscaped(name: string): string {
  return escaped(name.slice(0, 1)) + name.slice(1);
}

function escaped(character: string): string {
  return `_x${(character.codePointAt(0) ?? 0).toString(16)}_`;
}
