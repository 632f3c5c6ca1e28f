import type { LineSchemas } from '../src/adapters/registry/line-schemas.ts';
import { UmbusError } from '../src/core/errors.ts';
import type { AppendOptions, AppendOutput } from '../src/stages/append.ts';
import { createAvroEncoder, withSchemaId } from '../src/stages/encode-avro.ts';
import type { SinkOptions, Stream } from '../src/topology/stream.ts';
import { bySchema, noticeTopic, resultTopic, schemaNames, type TopicSettings } from './topics.ts';

/** Schemas of Avro that are asked for at once. */
const IN_FLIGHT = 16;
/** Below the number of records that can follow from one call of an asynchronous stage. */
const MAX_ROWS = 50_000;

/** Whether the results of a schema are Avro. */
function isAvro({ schemas }: TopicSettings, schema: string): boolean {
  return schemas[schema]?.result.format === 'avro';
}

/** How the appender works for results in Avro: it keeps back a table whose schema was refused, and a message has no more rows than one call may emit. */
export function avroOptions(
  config: TopicSettings,
  maxRows: number,
): Pick<AppendOptions, 'refused' | 'maxRows' | 'marks'> {
  const { registered } = config;
  if (registered == null || !schemaNames(config).some(schema => isAvro(config, schema))) return {};
  return {
    maxRows: Math.min(maxRows, MAX_ROWS),
    // A row in Avro has no place for what is no value of its field.
    marks: schema => !isAvro(config, schema),
    refused: table => (isAvro(config, table.schema) ? registered.rows.refused(table) : null),
  };
}

/**
 * Writes what the appender emits to the result topics, and its notices to `<ds>_schema`. Avro: one record a row; a message waits for the id of its schema, which is asked for once.
 * Throws UMBUS_TOPOLOGY_INVALID for Avro without a registry.
 */
export function writeResults(appended: Stream<string, AppendOutput>, config: TopicSettings): void {
  const results = bySchema(config, resultTopic);
  const notices = noticeTopic(config);
  const avro = schemaNames(config).filter(schema => isAvro(config, schema));
  const json = schemaNames(config).filter(schema => !avro.includes(schema));
  const sink = (schemas: readonly string[]) =>
    ({
      topics: [...schemas.map(results.of), notices],
      key: output => output.key,
      value: output => output.value,
      partition: output => output.partition,
    }) satisfies SinkOptions<string, AppendOutput> & {
      key: (output: AppendOutput) => Uint8Array;
      value: (output: AppendOutput) => Uint8Array;
    };
  const topicOf = (output: AppendOutput) => (output.notice === true ? notices : results.of(output.schema));
  if (avro.length === 0) {
    appended.to('result', topicOf, sink(json));
    return;
  }
  const { rows } = registeredOf(config);
  const formats = appended.branch('format', {
    avro: output => output.notice !== true && isAvro(config, output.schema),
    json: () => true,
  });
  formats.avro
    .map('encode-avro', createAvroEncoder(config.ds))
    .mapAsync('schema-id', async message => withSchemaId(message, await rows.idOf(message)), {
      inFlight: IN_FLIGHT,
      order: 'partition',
    })
    .flatMap('rows', outputs => outputs)
    .to('result-avro', topicOf, { ...sink(avro), topics: avro.map(results.of) });
  formats.json.to(json.length > 0 ? 'result' : 'notices', topicOf, sink(json));
}

function registeredOf({ ds, registered }: TopicSettings): LineSchemas {
  if (registered != null) return registered;
  throw new UmbusError(
    'UMBUS_TOPOLOGY_INVALID',
    `Results of ${ds} are Avro, but there is no schema registry.`,
  );
}
