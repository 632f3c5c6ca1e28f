import { isUmbusError, UmbusError } from '../../core/errors.ts';
import type { SchemaCompatibility, SchemaRegistry } from '../../ports/schema-registry.ts';
import type { AppendOutput, PublishedTable } from '../../stages/append-options.ts';
import { type AvroOutput, createAvroEncoder, rowSchemaOf, withSchemaId } from '../../stages/encode-avro.ts';
import { type NamedSchema, recordSubject } from '../../ums/avro-schema.ts';
import { resultTopicOf } from '../../ums/namespace.ts';

/** The schemas of Avro results in a registry. */
export interface RowSchemas {
  /**
   * The id of the schema of a message. Errors: UMBUS_REGISTRY_TABLE_REFUSED (retryable) when the registry refuses the schema as incompatible: the topology begins again from
   * its last commit, and then {@link refused} says so before the table's rows are published. UMBUS_REGISTRY_* otherwise.
   */
  idOf(message: AvroOutput): Promise<number>;
  /**
   * The records of a message that is published outside the topology, such as a replay: as the topology would write them.
   * Errors: UMBUS_REGISTRY_*, UMBUS_REGISTRY_INCOMPATIBLE when the registry refuses the schema; those of `createAvroEncoder`.
   */
  encode(output: AppendOutput): Promise<readonly AppendOutput[]>;
  /** UMBUS_REGISTRY_INCOMPATIBLE, with the registry's reason, for a table whose schema was refused since this was made; else null. */
  refused(table: PublishedTable): UmbusError | null;
}

/** Registers the schemas of a line's results, each under `<topic>-<full name>` with the line's compatibility. */
export function openRowSchemas(
  registry: SchemaRegistry,
  ds: string,
  compatibility: SchemaCompatibility,
): RowSchemas {
  const refusals = new Map<string, UmbusError>();
  const schemas = new WeakMap<PublishedTable['columns'], NamedSchema>();
  const schemaOf = (table: PublishedTable): NamedSchema => {
    const { columns, primaryKey, wide } = table;
    const known = schemas.get(columns);
    if (known !== undefined) return known;
    const made = rowSchemaOf(ds, table, columns, primaryKey, wide);
    schemas.set(columns, made);
    return made;
  };
  const encoder = createAvroEncoder(ds);
  return {
    async encode(output) {
      const message = encoder(output);
      return withSchemaId(
        message,
        await registry.register(message.subject, message.schema.text, compatibility),
      );
    },
    async idOf({ subject, schema, output }) {
      try {
        return await registry.register(subject, schema.text, compatibility);
      } catch (error) {
        if (!isUmbusError(error, 'UMBUS_REGISTRY_INCOMPATIBLE')) throw error;
        refusals.set(keyOf(subject, schema), error);
        throw new UmbusError(
          'UMBUS_REGISTRY_TABLE_REFUSED',
          `The schema of table ${output.schema}.${output.table} is refused: ${error.message}`,
          { cause: error, details: { schema: output.schema, table: output.table, subject } },
        );
      }
    },
    refused(table) {
      if (refusals.size === 0) return null;
      const schema = schemaOf(table);
      const subject = recordSubject(resultTopicOf(ds, table.schema), schema);
      return refusals.get(keyOf(subject, schema)) ?? null;
    },
  };
}

function keyOf(subject: string, { text }: NamedSchema): string {
  return `${subject}\n${text}`;
}
