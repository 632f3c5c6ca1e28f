/** A time in which a process said that a partition was its own. Milliseconds since 1970. */
export interface Ownership {
  readonly owner: string;
  /** `<topic>/<partition>`. */
  readonly partition: string;
  readonly fromMs: number;
  readonly toMs: number;
}

interface Told {
  readonly time: string;
  readonly message: string;
  readonly partitions?: string;
}

const begins = 'Partitions were assigned.';
const ends = ['Partitions were revoked.', 'Partitions were lost.'];

/**
 * When a process owned which partitions, from what `umbus run --log json` told in one life. What it owned last ends at `endMs`, when the process was gone.
 */
export function ownershipsOf(owner: string, told: string, endMs: number): readonly Ownership[] {
  const open = new Map<string, number>();
  const found: Ownership[] = [];
  for (const text of told.split('\n')) {
    // A process that is killed may leave half a line.
    if (!text.startsWith('{"time"') || !text.endsWith('}')) continue;
    const { time, message, partitions = '' }: Told = JSON.parse(text);
    const atMs = Date.parse(time);
    for (const partition of partitions.split(',')) {
      if (partition === '') continue;
      const fromMs = open.get(partition);
      if (message === begins) open.set(partition, fromMs ?? atMs);
      if (ends.includes(message) && fromMs !== undefined) {
        open.delete(partition);
        found.push({ owner, partition, fromMs, toMs: atMs });
      }
    }
  }
  for (const [partition, fromMs] of open) found.push({ owner, partition, fromMs, toMs: endMs });
  return found;
}

/** The longest time in which two owned one partition at once, in milliseconds, and who; 0 when that never was. */
export function longestOverlap(all: readonly Ownership[]): { readonly ms: number; readonly who: string } {
  let longest = { ms: 0, who: '' };
  for (const [index, one] of all.entries()) {
    for (const other of all.slice(index + 1)) {
      if (one.partition !== other.partition || one.owner === other.owner) continue;
      const ms = Math.min(one.toMs, other.toMs) - Math.max(one.fromMs, other.fromMs);
      if (ms > longest.ms) longest = { ms, who: `${one.partition}: ${one.owner} and ${other.owner}` };
    }
  }
  return longest;
}
