import avsc from 'avsc';
import { messageOf, UmbusError } from '../../core/errors.ts';
import type { SchemaCompatibility, SchemaRegistry } from '../../ports/schema-registry.ts';

/** What a test can do to the registry. */
export interface MemoryRegistry extends SchemaRegistry {
  /** Null: it answers. Else every call fails with this error. */
  failure: UmbusError | null;
  /** Subjects by name, each with the ids of its schemas in order. */
  readonly subjects: ReadonlyMap<string, readonly number[]>;
  compatibilityOf(subject: string): SchemaCompatibility;
}

interface Subject {
  readonly ids: number[];
  compatibility: SchemaCompatibility;
}

/** A registry in memory for the test driver and for tests, with the rules of compatibility that avsc's schema resolution knows. Ids count from `firstId`. */
export function createMemoryRegistry(firstId = 1): MemoryRegistry {
  return new KeptSchemas(firstId);
}

class KeptSchemas implements MemoryRegistry {
  failure: UmbusError | null = null;
  readonly #subjects = new Map<string, Subject>();
  readonly #schemas: string[] = [];
  readonly #firstId: number;

  constructor(firstId: number) {
    this.#firstId = firstId;
  }

  get subjects(): ReadonlyMap<string, readonly number[]> {
    return new Map([...this.#subjects].map(([name, { ids }]) => [name, ids]));
  }

  compatibilityOf(subject: string): SchemaCompatibility {
    return this.#subjects.get(subject)?.compatibility ?? 'NONE';
  }

  async register(name: string, schema: string, compatibility?: SchemaCompatibility): Promise<number> {
    if (this.failure !== null) throw this.failure;
    const type = this.#parse(schema, name);
    const subject = this.#subjects.get(name) ?? { ids: [], compatibility: 'NONE' };
    const at = this.#schemas.indexOf(schema);
    const known = at < 0 ? null : this.#firstId + at;
    if (known !== null && subject.ids.includes(known)) return known;
    if (compatibility !== undefined) subject.compatibility = compatibility;
    this.#check(name, subject, type);
    const id = known ?? this.#firstId + this.#schemas.push(schema) - 1;
    subject.ids.push(id);
    this.#subjects.set(name, subject);
    return id;
  }

  async schema(id: number): Promise<string> {
    if (this.failure !== null) throw this.failure;
    const found = this.#schemas[id - this.#firstId];
    if (found !== undefined) return found;
    throw new UmbusError('UMBUS_REGISTRY_UNKNOWN_SCHEMA', `The registry knows no schema with id ${id}.`, {
      details: { schemaId: id },
    });
  }

  #parse(schema: string, subject: string): avsc.Type {
    try {
      const parsed: avsc.Schema = JSON.parse(schema);
      return avsc.Type.forSchema(parsed);
    } catch (cause) {
      throw new UmbusError(
        'UMBUS_REGISTRY_REFUSED',
        `The registry refuses a schema for subject ${subject}, which is none of Avro.`,
        { cause },
      );
    }
  }

  #check(name: string, { ids, compatibility }: Subject, type: avsc.Type): void {
    const all = ids.map(id => this.#parse(this.#schemas[id - this.#firstId] ?? '', name));
    const before = compatibility.endsWith('_TRANSITIVE') ? all : all.slice(-1);
    for (const other of before) {
      if (/^(BACKWARD|FULL)/.test(compatibility)) resolve(name, type, other);
      if (/^(FORWARD|FULL)/.test(compatibility)) resolve(name, other, type);
    }
  }
}

function resolve(subject: string, reader: avsc.Type, writer: avsc.Type): void {
  try {
    reader.createResolver(writer);
  } catch (cause) {
    throw new UmbusError(
      'UMBUS_REGISTRY_INCOMPATIBLE',
      `The registry refuses a schema for subject ${subject}: ${messageOf(cause)}.`,
      { cause },
    );
  }
}
