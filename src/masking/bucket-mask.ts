import type { UmsType, UmsValue } from '../ums/types.ts';
import type { BucketSize, DateUnit } from './mask-spec.ts';

/** The lower end of the bucket that a value lies in, as a value of its type; null when it lies in none. */
export function bucketOf(type: UmsType, value: string | number, size: BucketSize): UmsValue {
  if ('unit' in size) return dateBucket(type, String(value), size.unit);
  const step = scaled(size.step);
  const number = scaled(plainDigits(value));
  if (step === null || number === null) return null;
  const scale = Math.max(step.scale, number.scale);
  const width = step.digits * 10n ** BigInt(scale - step.scale);
  const exact = number.digits * 10n ** BigInt(scale - number.scale);
  const rest = ((exact % width) + width) % width;
  const text = decimalText(exact - rest, scale, type === 'decimal' ? number.scale : 0);
  return typeof value === 'number' ? Number(text) : text;
}

function dateBucket(type: UmsType, text: string, unit: DateUnit): UmsValue {
  const [, year, month, day, hour, rest] =
    /^(\d{4})-(\d{2})-(\d{2})(?: (\d{2}):\d{2}:\d{2}(\.\d+)?)?$/.exec(text) ?? [];
  if (year === undefined || month === undefined || day === undefined) return null;
  // Zero and partial dates have no month to begin with.
  const first = month === '00' ? '00' : '01';
  const months =
    month === '00' ? '00' : unit === 'quarter' ? quarterOf(month) : unit === 'year' ? '01' : month;
  const days = unit === 'day' || unit === 'hour' ? day : day === '00' ? '00' : first;
  const date = `${year}-${months}-${days}`;
  if (type === 'date') return date;
  const fraction = rest === undefined ? '' : `.${'0'.repeat(rest.length - 1)}`;
  return `${date} ${unit === 'hour' ? hour : '00'}:00:00${fraction}`;
}

function quarterOf(month: string): string {
  return String(Math.floor((Number(month) - 1) / 3) * 3 + 1).padStart(2, '0');
}

/** A number without an exponent. */
function plainDigits(value: string | number): string {
  const text = String(value);
  const [, sign = '', whole = '', fraction = '', exponent] =
    /^(-?)(\d+)(?:\.(\d+))?e([+-]?\d+)$/.exec(text) ?? [];
  if (exponent === undefined) return text;
  const point = whole.length + Number(exponent);
  const digits = (whole + fraction).padEnd(point, '0');
  if (point <= 0) return `${sign}0.${'0'.repeat(-point)}${digits}`;
  return `${sign}${digits.slice(0, point)}.${digits.slice(point) || '0'}`;
}

/** A decimal text as digits and the number of those behind the point. */
function scaled(text: string): { readonly digits: bigint; readonly scale: number } | null {
  const [, whole, fraction = ''] = /^(-?\d+)(?:\.(\d+))?$/.exec(text) ?? [];
  return whole === undefined ? null : { digits: BigInt(whole + fraction), scale: fraction.length };
}

/** `digits` divided by 10^scale, with at least `least` digits behind the point and no zeros beyond them. */
function decimalText(digits: bigint, scale: number, least: number): string {
  const sign = digits < 0n ? '-' : '';
  const text = String(digits < 0n ? -digits : digits).padStart(scale + 1, '0');
  const whole = text.slice(0, text.length - scale);
  let fraction = text.slice(text.length - scale);
  while (fraction.length > least && fraction.endsWith('0')) fraction = fraction.slice(0, -1);
  return fraction === '' ? sign + whole : `${sign}${whole}.${fraction}`;
}
