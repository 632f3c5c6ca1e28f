import type { z } from 'zod';
import { alarmSchema } from './alarm-schema.ts';
import { heartbeatSchema } from './heartbeat-schema.ts';
import { kafkaSchema } from './kafka-schema.ts';
import { maskingSchema, masksSchema } from './mask-schema.ts';
import { metricsSchema } from './metrics-schema.ts';
import { pullSchema } from './pull-schema.ts';
import { coordinationSchema, registrySchema } from './service-schemas.ts';
import { named, optionalSection, section } from './setting-groups.ts';
import {
  columns,
  durationOrNone,
  optionalText,
  patterns,
  size,
  sizeOrNone,
  text,
  timeZone,
  whole,
  word,
} from './settings.ts';
import { sourceSchema } from './source-schema.ts';

const dsPattern = /^[A-Za-z0-9_-]{1,64}$/;

const result = section(
  { doc: 'Shape of `<ds>.<schema>.result`.' },
  {
    partitions: whole<null>(
      {
        doc: 'Partitions of the result topic. It cannot change later.',
        min: 1,
        max: 1024,
      },
      { value: null, text: 'as `topics.partitions`' },
    ),
    placeBy: word(
      {
        words: ['table', 'primary-key'],
        doc: '`table`: all rows of a table in one partition, in order. `primary-key`: rows spread by their key, in order for each key; a change of key comes as a delete and an insert.',
      },
      { value: 'table', text: 'table' },
    ),
    placeColumns: named(
      {
        name: '<pattern>',
        doc: 'Columns that place the rows of some tables instead of the primary key. The first pattern that matches counts.',
        expected: 'table patterns',
        expectedName: 'a table pattern of up to 200 characters',
        pattern: /^.{1,200}$/s,
        optional: true,
      },
      columns({ doc: 'The columns, in order.' }),
    ),
    format: word(
      {
        words: ['json', 'avro'],
        doc: '`json`: UMS as JSON. `avro`: UMS as Avro, each table version a schema in the registry; needs `registry`.',
      },
      { value: 'json', text: 'json' },
    ),
  },
);

const schema = section(
  { doc: 'A schema (database) to publish, by its exact name. `{}` takes all its tables.' },
  {
    tables: patterns(
      {
        doc: 'Tables to publish. In patterns `*` stands for any text and `?` for one character; case counts.',
      },
      ['*'],
    ),
    exclude: patterns({ doc: 'Tables to leave out of what `tables` takes.' }, []),
    beforeImage: patterns(
      {
        doc: 'Tables whose updates carry the row before the update too, as a `b` row. Updates of a primary key, and tables without one, always do.',
      },
      [],
    ),
    logical: named(
      {
        name: '<logical>',
        doc: 'Tables that are published as one table of this name, such as `orders: ["orders_????"]`. `beforeImage`, `masks` and `placeColumns` mean this name. It cannot change later for tables that have been published.',
        expected: 'names of logical tables',
        expectedName: 'a name of up to 64 letters, digits, _, $ and -',
        pattern: /^[A-Za-z0-9_$-]{1,64}$/,
        optional: true,
      },
      patterns(
        {
          doc: 'Names of the tables, among those that `tables` and `exclude` take. The first that matches counts.',
        },
        'required',
      ),
    ),
    initial: word(
      {
        words: ['none', 'pull'],
        doc: '`pull`: each table is pulled as a whole when the line first finds it in the source: those that are there when it begins, and others when they come. Once in the life of the line, however that pull ends.',
      },
      { value: 'none', text: 'none' },
    ),
    masks: masksSchema,
    result,
  },
);

/** Bound of an embedded log whose file does not give one. */
export const DEFAULT_LOG_BYTES = 64 * 1024 ** 3;

/** The data line file. Its output is what was written, with defaults; {@link loadLine} makes a Line of it. */
export const lineSchema = section(
  { doc: 'A data line.' },
  {
    ds: text(
      {
        type: 'name',
        doc: 'Name of the data source: letters, digits, `_` and `-`. Topics begin with it. It cannot change later.',
        expected: 'a name of up to 64 letters, digits, _ and -',
        pattern: dsPattern,
      },
      'required',
    ),
    source: sourceSchema,
    schemas: named(
      {
        name: '<schema>',
        doc: 'What to publish.',
        expected: 'at least one schema name',
        expectedName: 'a schema name of up to 64 letters, digits, _ and -, as topic names need',
        pattern: /^[A-Za-z0-9_-]{1,64}$/,
      },
      schema,
    ),
    log: section(
      { doc: 'Where the topics live: `embedded`, which is the default, or `kafka`.' },
      {
        embedded: optionalSection(
          { doc: 'A log in a local directory, owned by one process; other processes may read it.' },
          {
            dir: optionalText({
              type: 'path',
              doc: 'The directory; made when missing. Relative paths count from the directory of this file.',
              expected: 'the path of a directory',
              fallback: '.umbus/<ds>',
            }),
            maxBytes: size(
              {
                doc: 'The log never grows beyond this; a full log makes the line wait.',
                min: '64MB',
                max: '16TB',
              },
              { value: DEFAULT_LOG_BYTES, text: '64GB' },
            ),
          },
        ),
        kafka: kafkaSchema,
      },
    ),
    guarantee: word(
      {
        words: ['at-least-once', 'effectively-once', 'exactly-once'],
        doc: 'On Kafka: `exactly-once` writes in transactions, so that a `read_committed` reader sees each record once; with the others a reader may see records again after a crash, with the same ids. Repeats are dropped at every hop in any case. The embedded log is always exactly-once.',
      },
      { value: 'effectively-once', text: 'effectively-once' },
    ),
    coordination: coordinationSchema,
    registry: registrySchema,
    heartbeat: heartbeatSchema,
    signals: section(
      { doc: "umbus's own tables in the source: heartbeats, and watermarks of full pulls." },
      {
        schema: text(
          {
            type: 'name',
            doc: 'Schema that holds them. Their rows are never published, also when the line publishes the schema.',
            expected: 'a schema name of up to 64 letters, digits, _ and -',
            pattern: dsPattern,
          },
          { value: 'dbus', text: 'dbus' },
        ),
      },
    ),
    pull: pullSchema,
    masking: maskingSchema,
    topics: section(
      { doc: 'Shape of the topics.' },
      {
        partitions: whole<never>(
          {
            doc: 'Partitions of each `<ds>.<schema>` topic and its result topic; a table is always in one. It cannot change later.',
            min: 1,
            max: 1024,
          },
          { value: 4, text: '4' },
        ),
        retention: durationOrNone(
          { doc: 'Records older than this are dropped.' },
          { value: 7 * 86_400_000, text: '7d' },
        ),
        retentionBytes: sizeOrNone(
          {
            doc: 'The oldest records of a partition are dropped when it is larger than this.',
            min: '1MB',
            max: '16TB',
          },
          { value: 10 * 1024 ** 3, text: '10GB' },
        ),
      },
    ),
    extractor: section(
      { doc: 'The mysql-extractor topology.' },
      {
        runBytes: size(
          {
            doc: 'Changes that arrive together share a record of `<ds>` up to this size.',
            min: '4KB',
            max: '16MB',
          },
          { value: 256 * 1024, text: '256KB' },
        ),
      },
    ),
    appender: section(
      { doc: 'The appender topology.' },
      {
        maxRows: whole<never>(
          { doc: 'Most rows in one UMS message.', min: 1, max: 100_000 },
          { value: 500, text: '500' },
        ),
        maxBytes: size(
          { doc: 'A UMS message takes no further row beyond this size.', min: '1KB', max: '64MB' },
          { value: 1024 ** 2, text: '1MB' },
        ),
        timeZone: timeZone({ doc: 'Zone of `ums_ts_` and of TIMESTAMP columns.' }, 'UTC'),
      },
    ),
    alarms: alarmSchema,
    metrics: metricsSchema,
  },
);

/** What {@link lineSchema} gives. */
export type WrittenLine = z.output<typeof lineSchema>;
