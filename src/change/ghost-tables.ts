/**
 * The names that tools for online changes give their tables. Such a tool fills a copy of the table and lets it take the table's name; by its contract the copy then has the
 * same rows. Sources: the documentation of gh-ost (`_t_gho`, `_t_del`), pt-online-schema-change and Spirit (`_t_new`, `_t_old`, more underscores where the name is taken),
 * Facebook's OnlineSchemaChange (`__osc_new_t`, `__osc_old_t`), LHM (`lhmn_t`, `lhma_…_t`).
 */

/** Underscores that pt-online-schema-change puts in front at most. */
const UNDERSCORES_MAX = 10;

/** Whether `copy` is named as the copy that such a tool puts in place of `table`. */
export function isGhostOf(copy: string, table: string): boolean {
  if ([`_${table}_gho`, `__osc_new_${table}`, `lhmn_${table}`].includes(copy)) return true;
  return withUnderscores(copy, `${table}_new`);
}

/** Whether gh-ost puts `table` aside under this name, in a statement of its own before the copy takes its place. */
export function isSetAside(name: string, table: string): boolean {
  return name === `_${table}_del`;
}

/** Whether `copy` is one of gh-ost, which never drops a table before the copy takes its name. */
export function isGhostOfGhOst(copy: string, table: string): boolean {
  return copy === `_${table}_gho`;
}

function withUnderscores(name: string, rest: string): boolean {
  const count = name.length - rest.length;
  return count >= 1 && count <= UNDERSCORES_MAX && name === '_'.repeat(count) + rest;
}
