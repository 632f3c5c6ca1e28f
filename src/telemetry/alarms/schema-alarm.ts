import { changeText } from '../../change/change-text.ts';
import { verdicts } from '../../change/schema-diff.ts';
import type { Alarm } from '../../ports/alarm.ts';
import type { SchemaNotice } from '../../ums/schema-notice.ts';
import type { Verdict } from '../../ums/table-schema.ts';

/** Changes named in the text of an alarm. */
const CHANGES_MAX = 20;

/**
 * The alarm that a notice is, when its verdict is `least` or worse, or rows of its table are not known any more; null for none. A change is not over one day, so nobody is told
 * that. Its id is that of the notice: told again, it is the same.
 */
export function schemaAlarm(notice: SchemaNotice, least: Verdict | 'none', nowMs: number): Alarm | null {
  const { ds, schema, table, reason, version, innerVersion, verdict, rows, from } = notice;
  if (least === 'none') return null;
  const reload = rows === 'unknown';
  const worse = verdicts.indexOf(verdict) >= verdicts.indexOf(least);
  // The first columns of a table, and a table without rows, are no change of what anybody has.
  if (!reload && (!worse || reason === 'create' || reason === 'truncate')) return null;
  const name = `${schema}.${table}`;
  return {
    id: `schema:${name}:${notice.uid}:${version}.${innerVersion}`,
    line: ds,
    severity: reload || verdict === 'breaking' ? 'warning' : 'info',
    state: 'raised',
    title: `Table ${name}: ${titleOf(notice)}`,
    text: textOf(notice),
    atMs: nowMs,
    details: {
      where: 'table',
      table: name,
      reason,
      verdict,
      rows,
      version,
      innerVersion,
      file: from.file,
      position: from.position,
    },
  };
}

function titleOf({ reason, verdict, rows, renamedTo, renamedFrom }: SchemaNotice): string {
  if (rows === 'unknown') return 'load it again, rows went or came that the binlog does not have';
  if (reason === 'drop') return 'it was dropped';
  if (reason === 'rename' && renamedTo !== undefined) return `it is called ${renamedTo} now`;
  if (reason === 'rename') return `it was called ${renamedFrom} before`;
  return `columns changed, ${verdict}`;
}

function textOf({ changes, statements, ts, from, rows }: SchemaNotice): string {
  const named = changes.slice(0, CHANGES_MAX).map(change => `- ${changeText(change)} (${change.verdict})`);
  const more = changes.length > named.length ? [`- and ${changes.length - named.length} more`] : [];
  return [
    `From ${from.file === '' ? 'a full pull' : `${from.file}:${from.position}`} on (${ts}).`,
    ...named,
    ...more,
    ...statements.map(({ text }) => text),
    ...(rows === 'unknown' ? ['Load the table again: which rows are others is not in the binlog.'] : []),
  ].join('\n');
}
