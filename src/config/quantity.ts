/** Units of sizes in bytes; 1 KB is 1,024 bytes. */
const sizeUnits: Readonly<Record<string, number>> = {
  B: 1,
  KB: 1024,
  MB: 1024 ** 2,
  GB: 1024 ** 3,
  TB: 1024 ** 4,
};

/** Units of durations in milliseconds. */
const durationUnits: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

const quantityPattern = /^(\d{1,15}(?:\.\d{1,6})?)\s*([A-Za-z]+)$/;

/** Bytes of a text such as `256KB`, `1.5 MB` or `10GB` (B, KB, MB, GB, TB in any case; 1 KB is 1,024 bytes). Null when it is none. */
export function parseSize(text: string): number | null {
  return parseQuantity(text, unit => sizeUnits[unit.toUpperCase().replace('IB', 'B')]);
}

/** Milliseconds of a text such as `200ms`, `5s`, `1.5h` or `7d` (ms, s, m, h, d). Null when it is none. */
export function parseDuration(text: string): number | null {
  return parseQuantity(text, unit => durationUnits[unit]);
}

/** Text of a number of bytes with at most one digit after the point: `3.4 MB`. For people; {@link parseSize} gives about the same number back. */
export function formatSize(bytes: number): string {
  return formatQuantity(bytes, sizeUnits, ' ');
}

/** Text of a number of milliseconds with at most one digit after the point: `1.5h`. For people. */
export function formatDuration(ms: number): string {
  return formatQuantity(ms, durationUnits, '');
}

function parseQuantity(text: string, factorOf: (unit: string) => number | undefined): number | null {
  const [, digits, unit] = quantityPattern.exec(text.trim()) ?? [];
  if (digits === undefined || unit === undefined) return null;
  const factor = factorOf(unit);
  if (factor === undefined) return null;
  const amount = Math.round(Number(digits) * factor);
  return Number.isSafeInteger(amount) ? amount : null;
}

function formatQuantity(amount: number, units: Readonly<Record<string, number>>, gap: string): string {
  const size = Math.abs(amount);
  let chosen: readonly [string, number] | undefined;
  for (const entry of Object.entries(units)) if (chosen === undefined || size >= entry[1]) chosen = entry;
  if (chosen === undefined) return String(amount);
  const [unit, factor] = chosen;
  const rounded = Math.round((amount / factor) * 10) / 10;
  return `${factor === 1 ? Math.round(amount) : rounded}${gap}${unit}`;
}
