/** Masks for the tables of append-fixture.ts. */
import { lineMasks, maskRules } from '../../../src/config/mask-rules.ts';
import { maskSchema } from '../../../src/config/mask-schema.ts';
import { type MaskFunctions, type MaskRules, NO_FUNCTIONS } from '../../../src/masking/mask-spec.ts';

export const KEYS = { pii: 'a secret of more than sixteen bytes', salt: 'pepper' };

/** The masks of schema `shop`, as its line file has them. */
export function masksOf(
  masks: Readonly<Record<string, unknown>>,
  options: { readonly revision?: number; readonly functions?: MaskFunctions } = {},
): MaskRules {
  const list = Object.entries(masks).map(([pattern, mask]) => ({ pattern, mask: maskSchema.parse(mask) }));
  const { revision = 0, functions = NO_FUNCTIONS } = options;
  return maskRules(lineMasks({ schemas: { shop: { masks: list } } }), KEYS, functions, revision);
}
