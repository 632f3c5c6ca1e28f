import { createMemoryRegistry } from '../../src/adapters/memory/index.ts';
import { UmbusError } from '../../src/core/errors.ts';
import type { SchemaRegistry } from '../../src/ports/schema-registry.ts';
import { describeSchemaRegistry } from './schema-registry.ts';

const world = createMemoryRegistry();

/** Remembers, as the clients of real registries do. */
function client(): SchemaRegistry {
  const ids = new Map<string, number>();
  const schemas = new Map<number, string>();
  return {
    async register(subject, schema, compatibility) {
      const key = `${subject}\n${schema}`;
      const id = ids.get(key) ?? (await world.register(subject, schema, compatibility));
      ids.set(key, id);
      return id;
    },
    async schema(id) {
      const schema = schemas.get(id) ?? (await world.schema(id));
      schemas.set(id, schema);
      return schema;
    },
  };
}

describeSchemaRegistry('memory', async () => ({
  open: client,
  stop: async () => {
    world.failure = new UmbusError('UMBUS_REGISTRY_UNREACHABLE', 'The registry is away.');
  },
  start: async () => {
    world.failure = null;
  },
}));
