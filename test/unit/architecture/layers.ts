/** Folders under src, bottom up: a file imports from its own folder and from folders before it. */
export const layers = [
  ['core'],
  ['ums'],
  ['binlog'],
  ['columns'],
  ['change'],
  ['masking', 'rules', 'sharding'],
  ['ports'],
  ['telemetry'],
  ['topology'],
  ['stages'],
  ['runtime'],
  ['adapters'],
  ['config'],
] as const;

/** Layers from `core` to `stages`: no IO, no clock, no environment, no randomness. */
export const pureLayers: readonly string[] = layers
  .slice(0, layers.findIndex(([first]) => first === 'stages') + 1)
  .flat();

const rankOf = new Map<string, number>(
  layers.flatMap((names, rank) => names.map(name => [name, rank] as const)),
);

/** What the folders at the top may import besides themselves. */
const tops: Readonly<Record<string, (to: Place) => boolean>> = {
  testing: to => below('adapters', to) || (to.layer === 'adapters' && to.part === 'memory'),
  consumer: to => ['core', 'ums', 'ports'].includes(to.layer),
  topologies: to => rankOf.has(to.layer),
  index: to => to.layer !== 'cli' && to.layer !== 'topologies',
  cli: () => true,
};

/** The files that put the consumer and an adapter together; they load the adapter when called. */
const compositions: Readonly<Record<string, readonly string[]>> = {
  'src/consumer/embedded.ts': ['adapters'],
  'src/consumer/registry.ts': ['adapters'],
};

interface Place {
  readonly layer: string;
  /** Folder below the layer, '' for none. */
  readonly part: string;
}

/** Layer of a path; null for one that is in none. */
export function placeOf(path: string): Place | null {
  const [top, layer, part] = path.split('/');
  if (top === 'topologies') return { layer: 'topologies', part: '' };
  if (top !== 'src' || layer === undefined) return null;
  if (layer === 'index.ts') return { layer: 'index', part: '' };
  if (!rankOf.has(layer) && !Object.hasOwn(tops, layer)) return null;
  return { layer, part: part === undefined || part.endsWith('.ts') ? '' : part };
}

/** Whether a file may import another. */
export function mayImport(fromPath: string, toPath: string): boolean {
  const from = placeOf(fromPath);
  const to = placeOf(toPath);
  if (from === null || to === null) return false;
  if (from.layer === to.layer) return true;
  if (compositions[fromPath]?.includes(to.layer)) return true;
  const top = tops[from.layer];
  return top === undefined ? below(from.layer, to) : top(to);
}

function below(layer: string, to: Place): boolean {
  const rank = rankOf.get(to.layer);
  return rank !== undefined && rank < (rankOf.get(layer) ?? -1);
}
