export { openRegistry, type RegistryOptions } from './confluent-registry.ts';
export { type LineSchemas, openLineSchemas } from './line-schemas.ts';
export { openRawRunSchemas, type RawRunSchemas, rawRunSubject } from './raw-run-schemas.ts';
export { openRowSchemas, type RowSchemas } from './row-schemas.ts';
