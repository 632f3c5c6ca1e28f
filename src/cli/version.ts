import { readFileSync } from 'node:fs';

/** Version of the package that this file belongs to: in the sources, and in what `npm run build` makes of them. */
export function packageVersion(): string {
  for (const path of ['../../package.json', '../../../package.json']) {
    const text = read(new URL(path, import.meta.url));
    const found: unknown = text === null ? null : JSON.parse(text);
    if (typeof found === 'object' && found !== null && 'version' in found) return String(found.version);
  }
  return 'unknown';
}

function read(url: URL): string | null {
  try {
    return readFileSync(url, 'utf8');
  } catch {
    // A path that is not there is tried in the next place.
    return null;
  }
}
