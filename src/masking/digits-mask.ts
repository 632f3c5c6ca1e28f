import { Buffer } from 'node:buffer';
import { createHmac } from 'node:crypto';
import type { UmsType } from '../ums/types.ts';
import { FF1_DIGITS_MAX, FF1_DIGITS_MIN, type Ff1, ff1 } from './ff1.ts';
import { type ColumnMask, type MaskedColumn, MaskFault, type MaskKey, type MaskSpec } from './mask-spec.ts';
import { defaultValue, fits } from './typed-value.ts';

/** How often a number that begins with 0 or is too large is encrypted again; that one in a million values needs more is out of reach. */
const WALKS_MAX = 500;

/**
 * `digits`: the decimal digits of a value are encrypted with FF1 (SP 800-38G, AES-256, no tweak), all others stay as they are. In `int` and `long` columns the result is again a
 * number of as many digits: it is encrypted until it is one. Values with fewer than six digits have too few neighbours to hide among, and become the default
 * value; in key columns, where that would make two rows one, they are refused.
 */
export function digitsMask(column: MaskedColumn, spec: MaskSpec & { readonly kind: 'digits' }): ColumnMask {
  const cipher = cipherOf(spec.key);
  return {
    needs: [],
    mask(value) {
      const text = value instanceof Uint8Array ? '' : String(value);
      const masked = translated(column.type, text, cipher.encrypt);
      if (masked !== null) return column.type === 'int' ? Number(masked) : masked;
      if (column.key) throw new MaskFault('needs at least six digits in a column of the primary key');
      return defaultValue(column.type);
    },
  };
}

/** The plain text of what a `digits` mask gave for a column of a type: the mask the other way round. Null when it cannot be its result. */
export function unmaskDigits(type: UmsType, masked: string, key: MaskKey): string | null {
  return translated(type, masked, cipherOf(key).decrypt);
}

/** The AES key is made from the secret, which may have any length: HMAC-SHA-256 of the text `umbus digits 1` under it. */
function cipherOf({ secret }: MaskKey): Ff1 {
  return ff1(createHmac('sha256', Buffer.from(secret, 'utf8')).update('umbus digits 1').digest());
}

function translated(type: UmsType, text: string, translate: (digits: string) => string): string | null {
  const digits = text.replaceAll(/[^0-9]/g, '');
  if (digits.length < FF1_DIGITS_MIN || digits.length > FF1_DIGITS_MAX) return null;
  if (type === 'string') {
    const next = translate(digits);
    let at = 0;
    return text.replaceAll(/[0-9]/g, () => next[at++] ?? '');
  }
  const sign = text.startsWith('-') ? '-' : '';
  let next = digits;
  // Walking the cycle keeps it one to one among the numbers of so many digits that the type holds.
  for (let walk = 0; walk < WALKS_MAX; walk++) {
    next = translate(next);
    const value = sign + next;
    if (!next.startsWith('0') && fits(type, type === 'int' ? Number(value) : value)) return value;
  }
  return null;
}
