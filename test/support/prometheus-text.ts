/** The value of the one series in Prometheus's text format that has this name and these labels, among others; null when there is none. */
export function seriesValue(
  text: string,
  name: string,
  labels: Readonly<Record<string, string>> = {},
): number | null {
  for (const line of text.split('\n')) {
    const [, found, inner = '', value] = /^(\w+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? [];
    if (found !== name) continue;
    if (Object.entries(labels).every(([label, wanted]) => inner.includes(`${label}="${wanted}"`)))
      return Number(value);
  }
  return null;
}
