import type { SchemaRegistry } from '../ports/schema-registry.ts';

/** How a registry is reached by a consumer. */
export interface RegistryAccess {
  /** Where the API begins, such as `https://registry.example.com`. */
  readonly url: string;
  readonly username?: string;
  readonly password?: string;
  /** PEM text of the CA that the registry's certificate is signed by; left out: the system's. */
  readonly ca?: string;
}

/**
 * Opens a schema registry with the API of Confluent, for {@link subscribe} and `createAvroReader`. Its client is loaded by this call only. Dispose of it when done.
 * Errors: UMBUS_CONFIG_INVALID for a URL that is none.
 */
export async function openRegistry(access: RegistryAccess): Promise<SchemaRegistry & AsyncDisposable> {
  const { openRegistry: open } = await import('../adapters/registry/confluent-registry.ts');
  const { url, username = null, password = null, ca } = access;
  return open({
    url,
    username,
    password,
    ...(ca !== undefined && { tls: { ca, cert: null, key: null, verify: true } }),
  });
}
