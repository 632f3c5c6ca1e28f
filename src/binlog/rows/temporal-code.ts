import type { Zone } from '../../ums/zone.ts';
import { type ColumnCode, type ColumnPlace, fixedSize, orInvalid } from './column-code.ts';
import { TEMPORAL_TEXT_BYTES } from './temporal.ts';

const text = TEMPORAL_TEXT_BYTES;

/** DATE. */
export function dateCode(place: ColumnPlace): ColumnCode {
  return fixedSize(place, 'date', 3, text, `p=writeDateColumn(d,o,w,p);${orInvalid(place)}`);
}

/** DATETIME with 0 to 6 digits of fraction. */
export function dateTime2Code(place: ColumnPlace, digits: number): ColumnCode {
  const bytes = 5 + ((digits + 1) >> 1);
  return fixedSize(place, 'datetime', bytes, text, `p=writeDateTime2(d,o,${digits},w,p);${orInvalid(place)}`);
}

/** TIMESTAMP with 0 to 6 digits of fraction, in a zone. */
export function timestamp2Code(place: ColumnPlace, digits: number, zone: Zone): ColumnCode {
  const bytes = 4 + ((digits + 1) >> 1);
  const write = `p=writeTimestamp2(d,o,${digits},${place.constant(zone)},w,p);${orInvalid(place)}`;
  return fixedSize(place, 'datetime', bytes, text, write);
}

/** TIME with 0 to 6 digits of fraction. A `string`, since it goes from -838 to 838 hours. */
export function time2Code(place: ColumnPlace, digits: number): ColumnCode {
  const bytes = 3 + ((digits + 1) >> 1);
  return fixedSize(place, 'string', bytes, text, `p=writeTime2(d,o,${digits},w,p);${orInvalid(place)}`);
}

/** The forms from before MySQL 5.6, which MariaDB still writes with `mysql56_temporal_format=OFF`. */
export function oldDateTimeCode(place: ColumnPlace): ColumnCode {
  return fixedSize(place, 'datetime', 8, text, `p=writeDateTimeColumn(d,o,w,p);${orInvalid(place)}`);
}

/** As {@link oldDateTimeCode}. */
export function oldTimestampCode(place: ColumnPlace, zone: Zone): ColumnCode {
  return fixedSize(place, 'datetime', 4, text, `p=writeTimestamp(d,o,${place.constant(zone)},w,p);`);
}

/** As {@link oldDateTimeCode}. */
export function oldTimeCode(place: ColumnPlace): ColumnCode {
  return fixedSize(place, 'string', 3, text, `p=writeTimeColumn(d,o,w,p);${orInvalid(place)}`);
}
