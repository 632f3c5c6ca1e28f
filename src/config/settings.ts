import type { z } from 'zod';
import { closest } from './closest.ts';
import { parseDuration, parseSize } from './quantity.ts';
import { type Fallback, Refusal, type SettingText, setting } from './setting.ts';

/** A text that fits a pattern. `expected` says so in words, for example `a host name`. */
export function text(
  about: SettingText & { readonly type?: string; readonly expected: string; readonly pattern: RegExp },
  fallback: Fallback<string>,
): z.ZodType<string> {
  return setting({ type: 'text', ...about }, fallback, input =>
    typeof input === 'string' && about.pattern.test(input) ? input : new Refusal(about.expected),
  );
}

/** A text or null, of any content: only where the key may be left out. */
export function optionalText(
  about: SettingText & { readonly type: string; readonly expected: string; readonly fallback: string },
): z.ZodType<string | null> {
  return setting<string | null>(about, { value: null, text: about.fallback }, input =>
    typeof input === 'string' && input !== '' ? input : new Refusal(about.expected),
  );
}

/** A whole number in a range; text of digits is taken too, as an environment reference gives it. */
export function whole<T extends number | null>(
  about: SettingText & { readonly min: number; readonly max: number },
  fallback: Fallback<number | T>,
): z.ZodType<number | T> {
  return setting({ type: 'whole number', ...about }, fallback, input => wholeFrom(input, about));
}

function wholeFrom(
  input: unknown,
  { min, max }: { readonly min: number; readonly max: number },
  or = '',
): number | Refusal {
  const digits = typeof input === 'string' && /^\d{1,15}$/.test(input.trim());
  const value = digits ? Number(input) : input;
  return typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max
    ? value
    : new Refusal(`a whole number from ${min} to ${max}${or}`);
}

/** A whole number in a range, or `none` as null. */
export function wholeOrNone(
  about: SettingText & { readonly min: number; readonly max: number },
  fallback: Fallback<number | null>,
): z.ZodType<number | null> {
  return setting({ type: 'whole number or `none`', ...about }, fallback, input =>
    input === 'none' ? null : wholeFrom(input, about, ' or none'),
  );
}

/** A size such as `256KB` in bytes, at least `min`, at most `max`. */
export function size(
  about: SettingText & { readonly min: string; readonly max: string },
  fallback: Fallback<number>,
): z.ZodType<number> {
  return setting({ type: 'size', ...about }, fallback, input => sizeFrom(input, about));
}

/** A size in bytes, or `none` as null. */
export function sizeOrNone(
  about: SettingText & { readonly min: string; readonly max: string },
  fallback: Fallback<number | null>,
): z.ZodType<number | null> {
  return setting({ type: 'size or `none`', ...about }, fallback, input =>
    input === 'none' ? null : sizeFrom(input, about, ' or none'),
  );
}

function sizeFrom(input: unknown, range: { min: string; max: string }, or = ''): number | Refusal {
  const bytes = typeof input === 'string' ? parseSize(input) : null;
  const inRange =
    bytes !== null && bytes >= (parseSize(range.min) ?? 0) && bytes <= (parseSize(range.max) ?? 0);
  const unitless = typeof input === 'number' ? `write ${input}B for bytes` : null;
  return inRange
    ? bytes
    : new Refusal(`a size from ${range.min} to ${range.max}, such as 256KB${or}`, unitless);
}

/** A duration such as `7d` in milliseconds, or `none` as null. */
export function durationOrNone(
  about: SettingText,
  fallback: Fallback<number | null>,
): z.ZodType<number | null> {
  return setting({ type: 'duration or `none`', ...about }, fallback, input => {
    if (input === 'none') return null;
    const ms = typeof input === 'string' ? parseDuration(input) : null;
    const unitless = typeof input === 'number' ? `write ${input}d for days, ${input}h for hours` : null;
    return ms !== null && ms > 0 ? ms : new Refusal('a duration such as 7d, 12h or 30m, or none', unitless);
  });
}

/** A duration such as `6s` in milliseconds. */
export function duration(
  about: SettingText & { readonly min: string; readonly max: string },
  fallback: Fallback<number>,
): z.ZodType<number> {
  const { min, max } = about;
  return setting({ type: 'duration', ...about }, fallback, input => {
    const ms = typeof input === 'string' ? parseDuration(input) : null;
    const inRange = ms !== null && ms >= (parseDuration(min) ?? 0) && ms <= (parseDuration(max) ?? 0);
    const unitless = typeof input === 'number' ? `write ${input}s for seconds` : null;
    return inRange ? ms : new Refusal(`a duration from ${min} to ${max}, such as 10s`, unitless);
  });
}

/** True or false. */
export function flag(about: SettingText, fallback: boolean): z.ZodType<boolean> {
  return setting(
    { type: '`true` or `false`', ...about },
    { value: fallback, text: String(fallback) },
    input => {
      if (input === true || input === 'true') return true;
      if (input === false || input === 'false') return false;
      const meant = typeof input === 'string' ? closest(input, ['true', 'false']) : null;
      return new Refusal('true or false', meant === null ? null : `did you mean ${meant}?`);
    },
  );
}

/** An IANA time zone. */
export function timeZone(about: SettingText, fallback: string): z.ZodType<string> {
  return setting({ type: 'time zone', ...about }, { value: fallback, text: fallback }, input => {
    if (typeof input === 'string' && isTimeZone(input)) return input;
    const meant = typeof input === 'string' ? closest(input, Intl.supportedValuesOf('timeZone')) : null;
    return new Refusal(
      'an IANA time zone, such as UTC or Europe/Berlin',
      meant === null ? null : `did you mean ${meant}?`,
    );
  });
}

function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    // The constructor is the only way to ask; it throws a RangeError for a name it does not know.
    return false;
  }
}

/** A list of texts, each of which is at most 200 characters long and not empty. */
export function patterns(
  about: SettingText,
  fallback: readonly string[] | 'required',
): z.ZodType<readonly string[]> {
  const required = fallback === 'required';
  return setting<readonly string[]>(
    { type: 'list of patterns', ...about },
    required
      ? fallback
      : { value: fallback, text: `[${fallback.map(pattern => `'${pattern}'`).join(', ')}]` },
    input => {
      const asList = typeof input === 'string' && input !== '' ? `write ['${input}']` : null;
      const listed = Array.isArray(input) ? input : null;
      const texts = listed?.filter(item => typeof item === 'string' && item !== '' && item.length <= 200);
      return listed !== null && texts?.length === listed.length && !(required && listed.length === 0)
        ? listed.map(String)
        : new Refusal("a list of table patterns, such as ['order_*']", asList);
    },
  );
}

/** One of some words. */
export function word<const W extends string>(
  about: SettingText & { readonly words: readonly W[] },
  fallback: Fallback<NoInfer<W>>,
): z.ZodType<W> {
  const { words } = about;
  const listed = words.map(each => `\`${each}\``).join(', ');
  return setting<W>({ type: listed, ...about }, fallback, input => {
    const found = words.find(each => each === input);
    if (found !== undefined) return found;
    const meant = typeof input === 'string' ? closest(input, words) : null;
    return new Refusal(words.join(', '), meant === null ? null : `did you mean ${meant}?`);
  });
}

/** A list of `host:port`, at least one; one text with commas is taken too, as an environment reference gives it. */
export function addresses(
  about: SettingText & { readonly example: string },
  fallback: Fallback<readonly string[]>,
): z.ZodType<readonly string[]> {
  return setting<readonly string[]>({ type: 'list of `host:port`', ...about }, fallback, input => {
    const items = typeof input === 'string' ? input.split(',').map(each => each.trim()) : input;
    const valid =
      Array.isArray(items) &&
      items.length > 0 &&
      items.every(item => typeof item === 'string' && isAddress(item));
    return valid ? items.map(String) : new Refusal(`a list of host:port, such as [${about.example}]`);
  });
}

function isAddress(text: string): boolean {
  const [, port] = /^(?:\[[0-9A-Fa-f:.]+\]|[^:[\]\s,/]+):(\d{1,5})$/.exec(text) ?? [];
  return port !== undefined && Number(port) >= 1 && Number(port) <= 65_535;
}

/** Where a server listens. */
export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

/** The address of `host:port`, or of a port alone, which is on 127.0.0.1; null when it is none. Port 0 takes a free one. */
export function parseListenAddress(input: unknown): ListenAddress | null {
  const [, bracketed, plain = '127.0.0.1', digits] =
    /^(?:(?:\[([0-9A-Fa-f:.]+)\]|([^:[\]\s,/]+)):)?(\d{1,5})$/.exec(String(input)) ?? [];
  const port = Number(digits);
  return digits === undefined || port > 65_535 ? null : { host: bracketed ?? plain, port };
}

/** `host:port` or a port, to listen at. */
export function listenAddress(about: SettingText, fallback: string): z.ZodType<ListenAddress> {
  const value = parseListenAddress(fallback) ?? { host: '127.0.0.1', port: 0 };
  return setting<ListenAddress>(
    { type: '`host:port` or port', ...about },
    { value, text: fallback },
    input => parseListenAddress(input) ?? new Refusal(`host:port or a port, such as ${fallback}`),
  );
}

/** A list of texts, at least one. */
export function words(about: SettingText & { readonly example: string }): z.ZodType<readonly string[]> {
  return setting<readonly string[]>({ type: 'list of texts', ...about }, 'required', input => {
    const listed = Array.isArray(input) && input.length > 0 ? input : null;
    return listed?.every(item => typeof item === 'string' && item !== '')
      ? listed.map(String)
      : new Refusal(`a list of texts, such as [${about.example}]`);
  });
}

/** A list of column names, at least one. */
export function columns(about: SettingText): z.ZodType<readonly string[]> {
  return setting<readonly string[]>({ type: 'list of columns', ...about }, 'required', input => {
    const asList = typeof input === 'string' && input !== '' ? `write [${input}]` : null;
    const listed = Array.isArray(input) && input.length > 0 ? input : null;
    return listed?.every(item => typeof item === 'string' && item !== '')
      ? listed.map(String)
      : new Refusal('a list of column names, such as [customer_id]', asList);
  });
}

/** A list of mail addresses, at least one; one text with commas is taken too, as an environment reference gives it. */
export function addressees(about: SettingText): z.ZodType<readonly string[]> {
  return setting<readonly string[]>({ type: 'list of addresses', ...about }, 'required', input => {
    const items = typeof input === 'string' ? input.split(',').map(each => each.trim()) : input;
    const valid =
      Array.isArray(items) &&
      items.length > 0 &&
      items.every(item => typeof item === 'string' && /^[^\s@,]+@[^\s@,]+$/.test(item));
    return valid ? items.map(String) : new Refusal('a list of mail addresses, such as [ops@example.com]');
  });
}
