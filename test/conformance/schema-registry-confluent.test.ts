import { after } from 'node:test';
import { openRegistry } from '../../src/adapters/registry/index.ts';
import { type RegistryServer, requireRegistry } from '../support/servers.ts';
import { describeSchemaRegistry } from './schema-registry.ts';

const keep = new AsyncDisposableStack();
let server: Promise<RegistryServer | null> | null = null;

after(() => keep.disposeAsync());

describeSchemaRegistry('the API of Confluent, served by Apicurio', async t => {
  server ??= requireRegistry(t).then(started => (started === null ? null : keep.use(started)));
  const registry = await server;
  if (registry === null) {
    t.skip('no schema registry');
    return null;
  }
  return {
    open: () =>
      keep.use(openRegistry({ url: registry.url, username: null, password: null, timeoutMs: 20_000 })),
    stop: () => registry.kill(),
    start: () => registry.start(),
  };
});
