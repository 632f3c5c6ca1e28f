import type { FullName, Renaming, TableEffect } from '../change/table-effects.ts';
import { unreachable } from '../core/assert.ts';
import type { TablePart } from './append-table.ts';
import type { VersionEvent } from './append-version-messages.ts';

/** Does to a table what a statement did to it. The table is not parked. `published`: whether readers of this line have a table. */
export function applyEffect(
  part: TablePart,
  effect: TableEffect,
  event: VersionEvent,
  published: (name: FullName) => boolean,
): void {
  const { hasReaders } = part;
  switch (effect.kind) {
    case 'empty':
      if (hasReaders) part.boundary().empty(effect.reason, event);
      else if (effect.reason === 'drop') part.boundary().forget();
      break;
    case 'reload':
      if (hasReaders) part.boundary().reload(event);
      break;
    case 'alter':
      if (hasReaders) part.boundary().note(event, { renames: effect.renames });
      break;
    case 'create':
      if (part.isAside) part.boundary().settle(event);
      if (!part.hasReaders) part.boundary().note(event, {});
      break;
    case 'rename':
      rename(part, effect, event, published);
      break;
    default:
      unreachable(effect);
  }
}

function rename(
  part: TablePart,
  { to, from, online }: Renaming,
  event: VersionEvent,
  published: (name: FullName) => boolean,
): void {
  if (from !== null && online === 'replaced') {
    const swap = part.hasReaders ? ({ swap: true } as const) : ({ rows: 'unknown' } as const);
    const versions = part.boundary();
    versions.comeBack();
    versions.note(event, { renamedFrom: textOf(from), ...swap });
    return;
  }
  if (to !== null) {
    if (!part.hasReaders) part.boundary().forget();
    else if (online === 'aside') part.boundary().putAside(to, event);
    else part.boundary().rename(to, event, online !== 'copy' && published(to));
  }
  if (from === null) return;
  if (part.isAside && part.isPutAsideAs(from)) part.boundary().comeBack();
  else {
    const versions = part.boundary();
    versions.settle(event);
    versions.note(event, { renamedFrom: textOf(from), rows: published(from) ? 'moved' : 'unknown' });
  }
}

function textOf({ schema, table }: FullName): string {
  return `${schema}.${table}`;
}
