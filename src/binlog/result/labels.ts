/** Characters behind a backslash that are not themselves; MySQL manual, "Special Character Escape Sequences". */
const ESCAPES: Readonly<Record<string, string>> = {
  '0': '\0',
  n: '\n',
  r: '\r',
  t: '\t',
  b: '\b',
  Z: '\x1a',
};

/** The labels of an ENUM or SET in the text of `COLUMN_TYPE`, such as `enum('a','it''s')`. */
export function labelsOf(columnType: string): readonly string[] {
  const labels: string[] = [];
  for (const [, inner = ''] of columnType.matchAll(/'((?:[^'\\]|\\[\s\S]|'')*)'/g)) {
    labels.push(
      inner.replaceAll(/''|\\([\s\S])/g, (match, escaped: string | undefined) =>
        escaped === undefined ? match.charAt(0) : (ESCAPES[escaped] ?? escaped),
      ),
    );
  }
  return labels;
}
