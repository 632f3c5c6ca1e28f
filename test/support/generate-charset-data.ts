/**
 * `node test/support/generate-charset-data.ts`: writes src/binlog/rows/charset-data.ts from what a throw-away MySQL answers. The form is explained
 * in src/binlog/rows/charset-tables.ts, which reads it.
 */
import { Buffer } from 'node:buffer';
import { writeFileSync } from 'node:fs';
import { brotliCompressSync, constants } from 'node:zlib';
import { MULTI_BYTE_NAMES, SINGLE_BYTE_NAMES } from '../../src/binlog/rows/charset-names.ts';
import { charactersOf, fourByteText, plantCodes, type SqlServer } from './charset-facts.ts';
import { startMysql } from './servers.ts';

const TRAIL_MIN = 0x21;

function words(numbers: readonly number[]): Buffer {
  const bytes = Buffer.alloc(numbers.length * 2);
  for (const [i, number] of numbers.entries()) bytes.writeUInt16LE(number, i * 2);
  return bytes;
}

function rowsOf(characters: ReadonlyMap<string, string>): Buffer {
  const point = (code: string): number => characters.get(code)?.codePointAt(0) ?? 0;
  const leads = [
    ...new Set([...characters.keys()].filter(code => code.length > 2).map(code => code.slice(0, -2))),
  ].sort();
  const rows = leads.flatMap(lead => [
    Number.parseInt(lead, 16),
    ...Array.from({ length: 256 - TRAIL_MIN }, (_, i) =>
      point(lead + (i + TRAIL_MIN).toString(16).padStart(2, '0')),
    ),
  ]);
  return words([leads.length, ...rows]);
}

function bytesOf(characters: ReadonlyMap<string, string>): Buffer {
  return words(
    Array.from(
      { length: 256 },
      (_, i) => characters.get(i.toString(16).padStart(2, '0'))?.codePointAt(0) ?? 0,
    ),
  );
}

/** Stretches (first number, first code point, length) of the codes of four bytes that are in the BMP. */
async function fourByteStretches(server: SqlServer): Promise<Buffer> {
  const stretches: [number, number, number][] = [];
  let number = 0;
  for (let first = 0x81; first <= 0x84; first++) {
    for (let second = 0x30; second <= 0x39; second++) {
      for (const character of await fourByteText(server, first, second)) {
        const point = character.codePointAt(0) ?? 0;
        const last = stretches.at(-1);
        if (character !== '?') {
          if (last !== undefined && last[0] + last[2] === number && last[1] + last[2] === point) last[2]++;
          else stretches.push([number, point, 1]);
        }
        number++;
      }
    }
  }
  return words([stretches.length, ...stretches.flat()]);
}

await using server = await startMysql();
await plantCodes(server);
const parts: Buffer[] = [];
for (const charset of SINGLE_BYTE_NAMES) parts.push(bytesOf(await charactersOf(server, charset)));
for (const charset of MULTI_BYTE_NAMES) {
  const characters = await charactersOf(server, charset);
  parts.push(bytesOf(characters), rowsOf(characters));
}
parts.push(await fourByteStretches(server));
const packed = brotliCompressSync(Buffer.concat(parts), {
  params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_LGWIN]: 24 },
});
writeFileSync(
  new URL('../../src/binlog/rows/charset-data.ts', import.meta.url),
  `/** Made by test/support/generate-charset-data.ts from the answers of MySQL ${server.version}; not to be edited. Form: charset-tables.ts. */

/** The tables: brotli, base64. */
export const CHARSET_DATA =
  '${packed.toString('base64')}';
`,
);
