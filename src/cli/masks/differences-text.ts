import type { MaskDifference } from '../../config/shared-masks.ts';
import { plainText } from '../render/plain-text.ts';

/** Differences of masks for people, a line each; they hold no secret. */
export function differencesText(differences: readonly MaskDifference[]): string {
  return differences
    .map(({ sign, schema, pattern, mask }) => {
      const { type, ...parameters } = mask;
      const given = Object.entries(parameters).filter(([, value]) => value !== null);
      const text = given.map(([name, value]) => ` ${name}=${JSON.stringify(value)}`).join('');
      return plainText(`  ${sign} ${schema}  ${pattern}  ${type}${text}`);
    })
    .join('\n');
}
