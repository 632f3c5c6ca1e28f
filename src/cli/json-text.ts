/** JSON of a result for scripts: 64-bit numbers as numbers where a double holds them exactly, else as text; bytes as base64. */
export function jsonText(value: unknown, indent = 2): string {
  return JSON.stringify(value, plain, indent);
}

function plain(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
  if (isBufferJson(value)) return Buffer.from(value.data).toString('base64');
  return value instanceof Uint8Array ? Buffer.from(value).toString('base64') : value;
}

/** A Buffer has been through its own `toJSON` when the replacer sees it. */
function isBufferJson(value: unknown): value is { data: number[] } {
  if (typeof value !== 'object' || value === null) return false;
  return 'type' in value && value.type === 'Buffer' && 'data' in value && Array.isArray(value.data);
}
