/** A span of time for people: `45 s`, `12 min`, `3 h`. */
export function spanText(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 120) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 120) return `${minutes} min`;
  const hours = Math.round(minutes / 60);
  return hours < 48 ? `${hours} h` : `${Math.round(hours / 24)} days`;
}

/** A size for people: `3 KB`, `12 MB`, `1.5 GB`. */
export function sizeText(bytes: number): string {
  const [kilo, mega, giga] = [1024, 1024 ** 2, 1024 ** 3];
  if (bytes < mega) return `${Math.ceil(bytes / kilo)} KB`;
  return bytes < giga ? `${Math.round(bytes / mega)} MB` : `${Math.round((10 * bytes) / giga) / 10} GB`;
}

/** Names for people: the first ones, and how many more there are. */
export function namesText(names: readonly string[], most = 10): string {
  const more = names.length - most;
  return more > 0 ? `${names.slice(0, most).join(', ')} and ${more} more` : names.join(', ');
}
