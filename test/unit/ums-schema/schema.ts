import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';

/** The folder with the published schemas. */
export const schemaFolder = new URL('../../../ums-schema/', import.meta.url);

const schema: Record<string, unknown> = JSON.parse(
  readFileSync(new URL('ums.schema.json', schemaFolder), 'utf8'),
);

/** Checks a parsed message against ums.schema.json. Parts of the schema refer to each other's types, so those rules of strictness are off. */
export const validate = new Ajv2020({
  strict: true,
  strictRequired: false,
  strictTypes: false,
  strictTuples: false,
  allErrors: true,
}).compile(schema);
