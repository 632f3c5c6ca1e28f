import {
  decodeNewestRawRun,
  decodeRawRun,
  encodeRawRun,
  FIRST_RAW_RUN_SCHEMA_ID,
  RAW_RUN_SCHEMA_ID,
  type RawRun,
  rawRunReader,
  rawRunSchema,
  rawRunSchemaId,
} from '../../change/raw-run.ts';
import { isUmbusError, messageOf, UmbusError } from '../../core/errors.ts';
import type { SchemaRegistry } from '../../ports/schema-registry.ts';

type Reader = (bytes: Uint8Array) => RawRun;

/** Raw runs whose schema is in a registry: what writes and reads them. */
export interface RawRunSchemas {
  readonly name: string;
  /** The id that runs are written with. */
  readonly id: number;
  readonly encode: (run: RawRun) => Uint8Array;
  /**
   * Reads a run with a fixed id, this one's, or any whose schema in the registry a run can be read from. An id that was not seen before is asked for meanwhile, and the
   * record refused with UMBUS_REGISTRY_UNREACHABLE, which is retryable: a topology begins again from its last commit and finds the answer.
   * Errors: UMBUS_REGISTRY_UNKNOWN_SCHEMA for an id that the registry does not know, or that is of something else; UMBUS_REGISTRY_*; UMBUS_TOPOLOGY_DECODE.
   */
  readonly decode: (bytes: Uint8Array) => RawRun;
  /** As `decode`, and waits for the registry's answer. */
  readonly read: (bytes: Uint8Array) => Promise<RawRun>;
}

/** Subject of the raw runs of a line: TopicNameStrategy. */
export function rawRunSubject(ds: string): string {
  return `${ds}-value`;
}

/** Registers the schema of raw runs for a line and gives what writes and reads them. Errors: UMBUS_REGISTRY_*. */
export async function openRawRunSchemas(registry: SchemaRegistry, ds: string): Promise<RawRunSchemas> {
  const id = await registry.register(rawRunSubject(ds), JSON.stringify(rawRunSchema));
  const readers = new Map<number, Reader>([
    [FIRST_RAW_RUN_SCHEMA_ID, decodeRawRun],
    [RAW_RUN_SCHEMA_ID, decodeRawRun],
    [id, decodeNewestRawRun],
  ]);
  const failures = new Map<number, unknown>();
  const asked = new Map<number, Promise<Reader>>();
  const ask = (unknown: number): Promise<Reader> => {
    const known = asked.get(unknown);
    if (known !== undefined) return known;
    const answer = registry.schema(unknown).then(text => readerOf(unknown, text));
    asked.set(unknown, answer);
    answer.then(
      reader => readers.set(unknown, reader),
      error => {
        asked.delete(unknown);
        failures.set(unknown, error);
      },
    );
    return answer;
  };
  return {
    name: 'raw-run',
    id,
    encode: run => encodeRawRun(run, id),
    decode(bytes) {
      const wanted = rawRunSchemaId(bytes);
      const reader = readers.get(wanted);
      if (reader !== undefined) return reader(bytes);
      const failure = failures.get(wanted);
      failures.delete(wanted);
      if (failure !== undefined) throw failure;
      ask(wanted);
      throw new UmbusError(
        'UMBUS_REGISTRY_UNREACHABLE',
        `The schema with id ${wanted} is being asked for; the registry has not answered yet.`,
        { details: { schemaId: wanted } },
      );
    },
    async read(bytes) {
      const wanted = rawRunSchemaId(bytes);
      return (readers.get(wanted) ?? (await ask(wanted)))(bytes);
    },
  };
}

function readerOf(id: number, schema: string): Reader {
  try {
    return rawRunReader(schema) ?? decodeNewestRawRun;
  } catch (cause) {
    if (isUmbusError(cause)) throw cause;
    throw new UmbusError(
      'UMBUS_REGISTRY_UNKNOWN_SCHEMA',
      `The schema with id ${id} is not one of raw events, nor can they be read from it: ${messageOf(cause)}.`,
      { cause, details: { schemaId: id } },
    );
  }
}
