/** Looks for values where they may not be, in every form in which bytes of ours could hold them. */
import { Buffer } from 'node:buffer';

/** A value, and a form of it. */
interface Needle {
  readonly marker: string;
  readonly form: string;
  readonly bytes: Buffer;
}

/** Base64 of a text is another at each of three offsets within what is encoded; its first and last characters depend on the neighbours. */
function base64Forms(bytes: Buffer): readonly string[] {
  return [0, 1, 2].map(offset => {
    const text = Buffer.concat([Buffer.alloc(offset), bytes])
      .toString('base64')
      .replace(/=+$/, '');
    return text.slice(offset === 0 ? 0 : offset + 1, -1);
  });
}

function longBytes(digits: string): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64LE(BigInt(digits));
  return bytes;
}

function formsOf(marker: string): readonly Needle[] {
  const utf8 = Buffer.from(marker, 'utf8');
  const json = JSON.stringify(marker).slice(1, -1);
  const ascii = json.replaceAll(/[^ -~]/g, sign => `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`);
  const texts: readonly (readonly [string, string])[] = [
    ['plain', marker],
    ['JSON', json],
    ['JSON in JSON', JSON.stringify(json).slice(1, -1)],
    ['JSON in ASCII', ascii],
    ['hexadecimal', utf8.toString('hex')],
    ['hexadecimal, upper case', utf8.toString('hex').toUpperCase()],
    ['percent-encoded', encodeURIComponent(marker)],
    ...base64Forms(utf8).map((text, i) => [`base64 at ${i}`, text] as const),
    ['reversed', Array.from(marker).reverse().join('')],
  ];
  return [
    ...texts.map(([form, text]) => ({ marker, form, bytes: Buffer.from(text, 'utf8') })),
    { marker, form: 'UTF-16', bytes: Buffer.from(marker, 'utf16le') },
    ...(/^\d{9,18}$/.test(marker) ? [{ marker, form: 'eight bytes', bytes: longBytes(marker) }] : []),
  ];
}

/** Finds markers in bytes; says which, in which form, and what is around. */
export function leakSearch(
  markers: readonly string[],
): (place: string, bytes: Uint8Array) => readonly string[] {
  const needles = markers.flatMap(formsOf);
  return (place, bytes) => {
    const hay = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    return needles.flatMap(({ marker, form, bytes: needle }) => {
      const at = hay.indexOf(needle);
      if (at < 0) return [];
      const around = hay.toString('latin1', Math.max(0, at - 60), at + 100);
      return [`${place}: ${marker} as ${form}, in ${JSON.stringify(around)}`];
    });
  };
}
