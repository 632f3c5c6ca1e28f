/** Characters that a terminal acts on: C0 and C1 controls, and the marks that change the direction of text. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not reach a terminal.
const unsafePattern = /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/** Text from a record as a terminal may show it: one line, nothing it would act on. */
export function plainText(text: string): string {
  return text.replaceAll(unsafePattern, character => {
    const code = character.charCodeAt(0).toString(16);
    return `\\u${code.padStart(4, '0')}`;
  });
}

/** Cut to `max` characters, with a sign that it was. */
export function shortText(text: string, max: number): string {
  const characters = Array.from(text.slice(0, max * 2 + 1));
  return characters.length > max ? `${characters.slice(0, max - 1).join('')}…` : text;
}

const decoder = new TextDecoder('utf-8', { fatal: true });

/** Bytes as UTF-8 text without control characters other than white space; null when they are not that. */
export function textOf(bytes: Uint8Array): string | null {
  try {
    const text = decoder.decode(bytes);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: a text with these is binary.
    return /[\u0000-\u0008\u000e-\u001f]/.test(text) ? null : text;
  } catch {
    // The decoder throws a TypeError for what is not UTF-8; that is the answer.
    return null;
  }
}

/** The first `max` bytes in hexadecimal, and how many there are. */
export function hexText(bytes: Uint8Array, max: number): string {
  const shown = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.byteLength, max)).toString('hex');
  return bytes.byteLength > max ? `${shown}… (${bytes.byteLength} bytes)` : shown;
}
