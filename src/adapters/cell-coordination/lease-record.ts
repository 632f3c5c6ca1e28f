import { Buffer } from 'node:buffer';

/** What the cell of a lease says. */
export interface LeaseRecord {
  readonly holder: string;
  /** One per taking: tells this holding from another of the same process. */
  readonly id: string;
  readonly token: string | null;
  readonly ttlMs: number;
  /** By the holder's clock; for those who only look. Whether it has run out is never decided by it. */
  readonly renewedMs: number;
  /** `CellStore.self` of the holder. */
  readonly self: string | null;
}

/** What the cell of a member says. */
export interface MemberRecord {
  readonly info: Readonly<Record<string, string>>;
  readonly id: string;
  readonly ttlMs: number;
  readonly renewedMs: number;
  readonly self: string | null;
}

/** JSON in UTF-8. */
export function encodeRecord(record: LeaseRecord | MemberRecord): Buffer {
  return Buffer.from(JSON.stringify(record));
}

/** Null for what is not the record of a lease. */
export function decodeLease(value: Uint8Array): LeaseRecord | null {
  const record = parse(value);
  // Written by encodeRecord; what another version adds is ignored.
  return typeof record?.['holder'] === 'string' && isTimed(record)
    ? (record as unknown as LeaseRecord)
    : null;
}

/** Null for what is not the record of a member. */
export function decodeMember(value: Uint8Array): MemberRecord | null {
  const record = parse(value);
  // As above.
  return typeof record?.['info'] === 'object' && isTimed(record) ? (record as unknown as MemberRecord) : null;
}

/** Whether nobody has renewed it for so long that its process must be dead, allowing for clocks that differ by as much as it may live. */
export function isStale(
  record: { readonly ttlMs: number; readonly renewedMs: number },
  nowMs: number,
): boolean {
  return nowMs - record.renewedMs > 2 * record.ttlMs;
}

function isTimed(record: Record<string, unknown>): boolean {
  return typeof record['ttlMs'] === 'number' && typeof record['renewedMs'] === 'number';
}

function parse(value: Uint8Array): Record<string, unknown> | null {
  try {
    const parsed: unknown = JSON.parse(Buffer.from(value).toString());
    return typeof parsed === 'object' && parsed !== null ? (parsed as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}
