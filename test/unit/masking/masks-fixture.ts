/** Masks of one column, without a table around. */
import { columnMask } from '../../../src/masking/column-mask.ts';
import {
  type MaskFunctions,
  type MaskSpec,
  NO_FUNCTIONS,
  type PlainValue,
} from '../../../src/masking/mask-spec.ts';
import type { UmsType, UmsValue } from '../../../src/ums/types.ts';

/** A key that is long enough. */
export const KEY = { name: 'pii', secret: 'a secret of more than sixteen bytes' };

export interface Around {
  readonly row?: Readonly<Record<string, UmsValue>>;
  readonly key?: boolean;
  readonly functions?: MaskFunctions;
}

/** What a mask gives for a value of a type. */
export function masked(spec: MaskSpec, type: UmsType, value: PlainValue, around: Around = {}): unknown {
  const { row = {}, key = false, functions = NO_FUNCTIONS } = around;
  const mask = columnMask('shop.t', { name: 'c', type, key }, { pattern: '*.c', spec }, functions);
  return mask.mask(value, { names: Object.keys(row), of: name => row[name] });
}
