import type { SchemaChange, SchemaColumn } from '../ums/table-schema.ts';

/** A change of columns as a line for people. */
export function changeText(change: SchemaChange): string {
  switch (change.kind) {
    case 'added':
      return `added ${columnText(change.column)}`;
    case 'dropped':
      return `dropped ${columnText(change.column)}`;
    case 'renamed':
      return `${change.sure ? 'renamed' : 'probably renamed'} ${change.from} to ${change.name}`;
    case 'type':
      return `${change.change} ${change.name} from ${change.before.type} to ${change.after.type}`;
    case 'moved':
      return `moved ${change.name} to place ${change.at + 1}`;
    case 'nullability':
      return `${change.name} ${change.nullable ? 'may be NULL now' : 'may not be NULL any more'}`;
    case 'charset':
      return `${change.name} is in ${change.after}, was in ${change.before}`;
    case 'mask':
      return `${change.name} is masked by ${change.after ?? 'nothing'}, was by ${change.before ?? 'nothing'}`;
    case 'key':
      return `primary key (${change.after.join(', ')}), was (${change.before.join(', ')})`;
  }
}

/** A column as a definition has it, as far as the binlog tells. */
export function columnText({ name, type, charset, nullable, mask }: SchemaColumn): string {
  const more = [
    charset === undefined ? '' : ` character set ${charset}`,
    nullable ? '' : ' not null',
    mask === undefined ? '' : `, masked by ${mask}`,
  ];
  return `${name} ${type}${more.join('')}`;
}
