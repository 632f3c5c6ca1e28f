/** Matches a name against patterns in which `*` stands for any text and `?` for one character; case counts. Compiled once. */
export function matcher(patterns: readonly string[]): (name: string) => boolean {
  if (patterns.includes('*')) return () => true;
  const exact = new Set(patterns.filter(pattern => !/[*?]/.test(pattern)));
  const wild = patterns.filter(pattern => /[*?]/.test(pattern)).map(splitPattern);
  return name => exact.has(name) || wild.some(parts => matchesParts(Array.from(name), parts));
}

/** The texts between the stars, as characters. */
function splitPattern(pattern: string): readonly (readonly string[])[] {
  return pattern.split('*').map(part => Array.from(part));
}

/** Each part at the first place it fits, the last one at the end: linear in name times pattern, unlike a regular expression with many stars. */
function matchesParts(name: readonly string[], parts: readonly (readonly string[])[]): boolean {
  const first = parts[0] ?? [];
  const last = parts.at(-1) ?? [];
  if (parts.length === 1) return name.length === first.length && fits(name, 0, first);
  if (name.length < first.length + last.length) return false;
  if (!fits(name, 0, first) || !fits(name, name.length - last.length, last)) return false;
  let from = first.length;
  const end = name.length - last.length;
  for (const part of parts.slice(1, -1)) {
    while (from + part.length <= end && !fits(name, from, part)) from++;
    if (from + part.length > end) return false;
    from += part.length;
  }
  return true;
}

function fits(name: readonly string[], at: number, part: readonly string[]): boolean {
  return part.every((character, index) => character === '?' || character === name[at + index]);
}
