import type { Buffer } from 'node:buffer';
import type { AddressType } from '../table-map-types.ts';
import { type ColumnCode, type ColumnPlace, littleEndian, need } from './column-code.ts';

/** Writes the text of an address of `bytes` bytes at `o`, of which zeros at the end are left out from `end` on. Returns where the text ends. */
type WriteAddress = (b: Buffer, o: number, end: number, w: Buffer, p: number) => number;

const WIDTHS: Readonly<Record<AddressType, number>> = { uuid: 16, inet6: 16, inet4: 4 };
const WRITERS: Readonly<Record<AddressType, WriteAddress>> = {
  uuid: writeUuid,
  inet6: writeInet6,
  inet4: writeInet4,
};
/** The longest text, of INET6, and its quotes. */
const TEXT_BYTES = 47;
const COLON = 0x3a;
const DASH = 0x2d;
const DOT = 0x2e;
const HEX = '0123456789abcdef';
const WORDS = 8;
/** Before these bytes a UUID has a dash. */
const DASHES: ReadonlySet<number> = new Set([4, 6, 8, 10]);

/** UUID, INET6 and INET4 of MariaDB, as text, as SELECT prints them. In the binlog they are like BINARY(16) and BINARY(4), in the order of the text. */
export function addressCode(place: ColumnPlace, type: AddressType, lengthBytes: 1 | 2): ColumnCode {
  const write = place.constant(WRITERS[type]);
  const length = `${need(place, lengthBytes)}const l=${littleEndian(lengthBytes)};o+=${lengthBytes};${need(place, 'l')}`;
  return {
    type: 'string',
    fixedBytes: TEXT_BYTES,
    write: `{${length}if(l>${WIDTHS[type]})invalid(${place.index});w[p]=34;p=${write}(b,o,o+l,w,p+1);w[p++]=34;o+=l;}`,
    skip: `{${length}o+=l;}`,
  };
}

function at(b: Buffer, o: number, end: number): number {
  return o < end ? (b[o] ?? 0) : 0;
}

function hexDigit(w: Buffer, p: number, digit: number): number {
  w[p] = HEX.charCodeAt(digit & 15);
  return p + 1;
}

function writeUuid(b: Buffer, o: number, end: number, w: Buffer, p: number): number {
  let q = p;
  for (let i = 0; i < WIDTHS.uuid; i++) {
    if (DASHES.has(i)) w[q++] = DASH;
    const byte = at(b, o + i, end);
    q = hexDigit(w, hexDigit(w, q, byte >> 4), byte);
  }
  return q;
}

function writeInet4(b: Buffer, o: number, end: number, w: Buffer, p: number): number {
  let q = p;
  for (let i = 0; i < WIDTHS.inet4; i++) {
    if (i > 0) w[q++] = DOT;
    q += w.write(String(at(b, o + i, end)), q, 'latin1');
  }
  return q;
}

/**
 * The longest run of zero words, the first of equals and also of one word, becomes `::`; an address that embeds one of IPv4 ends with that. Other than RFC 5952 says of
 * single words, but as the server prints it.
 */
function writeInet6(b: Buffer, o: number, end: number, w: Buffer, p: number): number {
  const word = (i: number): number => (at(b, o + 2 * i, end) << 8) | at(b, o + 2 * i + 1, end);
  let gapAt = -1;
  let gapWords = 0;
  for (let i = 0, run = 0; i < WORDS; i++) {
    run = word(i) === 0 ? run + 1 : 0;
    if (run > gapWords) {
      gapWords = run;
      gapAt = i - run + 1;
    }
  }
  const mapped = gapAt === 0 && (gapWords === 6 || (gapWords === 5 && word(5) === 0xffff));
  let q = p;
  for (let i = 0; i < WORDS; i++) {
    if (i === gapAt) {
      if (i === 0) w[q++] = COLON;
      w[q++] = COLON;
      i += gapWords - 1;
    } else if (i === 6 && mapped) {
      return writeInet4(b, o + 12, end, w, q);
    } else {
      q += w.write(word(i).toString(16), q, 'latin1');
      if (i + 1 < WORDS) w[q++] = COLON;
    }
  }
  return q;
}
