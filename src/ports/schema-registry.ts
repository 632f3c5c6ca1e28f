/** Which schemas may follow each other under a subject, in the words of Confluent's registry. */
export type SchemaCompatibility =
  | 'NONE'
  | 'BACKWARD'
  | 'BACKWARD_TRANSITIVE'
  | 'FORWARD'
  | 'FORWARD_TRANSITIVE'
  | 'FULL'
  | 'FULL_TRANSITIVE';

/** Where writers and readers of Avro agree on schemas. Adapters: Confluent-compatible HTTP; memory for tests. Conformance: test/conformance/schema-registry.ts. */
export interface SchemaRegistry {
  /**
   * Registers a schema under a subject, or finds it there, and gives its id (1 to 2^31 - 1). Repeats cost nothing. `compatibility` is set on the subject before a schema
   * is added to it; left out, the subject keeps what it has, or what the registry gives all.
   * Errors: UMBUS_REGISTRY_INCOMPATIBLE (with the registry's reason), UMBUS_REGISTRY_UNREACHABLE (retryable), UMBUS_REGISTRY_REFUSED.
   */
  register(subject: string, schema: string, compatibility?: SchemaCompatibility): Promise<number>;
  /** The Avro schema, as JSON text, with an id. Errors: UMBUS_REGISTRY_UNKNOWN_SCHEMA, and as {@link register}. */
  schema(id: number): Promise<string>;
}
