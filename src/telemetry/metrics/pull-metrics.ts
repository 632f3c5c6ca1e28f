import { gauge } from './spec.ts';

/** Full pulls, asked now and then by the process that reads the source. What is told by table is there while the table is pulled; beyond `metrics.tables` tables the rest is `(others)`. */
export const pullMetrics = {
  open: gauge(
    'umbus_pull_open_pulls',
    'pulls',
    'Full pulls that are not over, by what they do: `waiting` for the line, `splitting`, `pulling`, or `paused` by somebody.',
    ['state'],
  ),
  throttled: gauge(
    'umbus_pull_throttled_pulls',
    'pulls',
    'Full pulls that are not over and that somebody holds to a number of rows a second.',
  ),
  held: gauge(
    'umbus_pull_held_pulls',
    'pulls',
    'Full pulls that wait because the source or the line has too much to do.',
  ),
  ended: gauge(
    'umbus_pull_ended_pulls',
    'pulls',
    'Full pulls that are over and still listed: `whole`, `cancelled`, or `failed`.',
    ['state'],
  ),
  shards: gauge(
    'umbus_pull_table_shards',
    'shards',
    'Shards of a table that is pulled: `asked` so far, and `done`.',
    ['table', 'state'],
  ),
  rows: gauge(
    'umbus_pull_table_rows',
    'rows',
    'Rows of a table that is pulled: `published` so far, and `estimated` by the server when the pull began.',
    ['table', 'state'],
  ),
  age: gauge(
    'umbus_pull_table_age_seconds',
    'seconds',
    'How long ago the pull of a table that is not over was asked for.',
    ['table'],
  ),
  idle: gauge(
    'umbus_pull_table_idle_seconds',
    'seconds',
    'How long ago a page of a table that is pulled was published last; 0 while the pull is paused.',
    ['table'],
  ),
  heldBytes: gauge(
    'umbus_pull_table_held_bytes',
    'bytes',
    'Changes and heartbeats of a table that wait in the appender until its pull is over, as messages. With more than `pull.heldBytes` the pull ends.',
    ['table'],
  ),
} as const;
