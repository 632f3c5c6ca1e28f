import type { ErrorRow } from './row.ts';

/** Codes of the schema registry. */
export const registryErrors = {
  UMBUS_REGISTRY_UNREACHABLE: {
    text: 'The schema registry cannot be reached.',
    remedy: 'Check `registry.url` and that the registry runs; umbus keeps trying.',
    retryable: true,
  },
  UMBUS_REGISTRY_INCOMPATIBLE: {
    text: 'The schema registry refuses a schema as incompatible with the versions before it.',
    remedy: 'Loosen `registry.compatibility`, or give the table a new topic.',
    retryable: false,
  },
  UMBUS_REGISTRY_TABLE_REFUSED: {
    text: 'The schema registry refuses the schema of a table as incompatible.',
    remedy: 'None needed: umbus begins again from its last commit and parks the table.',
    retryable: true,
  },
  UMBUS_REGISTRY_REFUSED: {
    text: 'The schema registry refused a request.',
    remedy: 'See the reason in the message: login, rights, or a schema that it does not take.',
    retryable: false,
  },
  UMBUS_REGISTRY_UNKNOWN_SCHEMA: {
    text: 'The schema registry does not know a schema id that a record names.',
    remedy: 'Check that readers and writers use the same registry.',
    retryable: false,
  },
} as const satisfies Record<string, ErrorRow>;
