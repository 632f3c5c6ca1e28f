/**
 * `ums_id_` and `ums_uid_`: where a row stands in its source, as decimal digits (ums-schema/README.md). Both are made
 * from positions alone, so a replay gives every row the same ids.
 */

/** Digits of the position part of `ums_id_`; the binlog file number stands in front of them. */
export const POSITION_DIGITS = 13;

/** Digits of `ums_id_` within `ums_uid_`, with zeros in front: as many as a signed 64-bit integer can have. */
export const UID_ID_DIGITS = 19;

/** Largest binlog file number whose ids are still 64-bit integers. */
export const FILE_NUMBER_MAX = 922_336;

/** `ums_id_`: file number · 10^13 + event start + row index. `position` is the event's start plus the row's index in it. */
export function umsIdOf(fileNumber: number, position: number): string {
  return fileNumber === 0
    ? String(position)
    : `${fileNumber}${String(position).padStart(POSITION_DIGITS, '0')}`;
}

/** `ums_uid_`: epoch, `ums_id_` in 19 digits, and 0 for a before image or 1 for any other. */
export function umsUidOf(epoch: number, umsId: string, image: 0 | 1): string {
  return `${epoch}${umsId.padStart(UID_ID_DIGITS, '0')}${image}`;
}
