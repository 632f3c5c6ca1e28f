import type { SchemaCompatibility, SchemaRegistry } from '../../ports/schema-registry.ts';
import { openRawRunSchemas, type RawRunSchemas } from './raw-run-schemas.ts';
import { openRowSchemas, type RowSchemas } from './row-schemas.ts';

/** What the topologies of a line need of its registry. Found before they start, so that what they write for a record does not hang on when the registry answers. */
export interface LineSchemas {
  readonly rawRuns: RawRunSchemas;
  readonly rows: RowSchemas;
}

/** Registers the schema of the raw runs and makes ready those of result topics. Errors: UMBUS_REGISTRY_*; the retryable ones pass. */
export async function openLineSchemas(
  registry: SchemaRegistry,
  line: { readonly ds: string; readonly compatibility: SchemaCompatibility },
): Promise<LineSchemas> {
  const rawRuns = await openRawRunSchemas(registry, line.ds);
  return { rawRuns, rows: openRowSchemas(registry, line.ds, line.compatibility) };
}
