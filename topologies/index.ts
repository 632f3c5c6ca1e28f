import type { LineSchemas } from '../src/adapters/registry/line-schemas.ts';
import type { Line } from '../src/config/line.ts';
import type { ChangeSource } from '../src/ports/change-source.ts';
import type { TopologyDefinition } from '../src/topology/definition.ts';
import { appender } from './appender.ts';
import { dispatcher } from './dispatcher.ts';
import { mysqlExtractor } from './mysql-extractor.ts';

/** A named topology with its config for one line. */
export interface LineTopology {
  readonly name: string;
  readonly definition: TopologyDefinition<unknown>;
  readonly config: unknown;
}

function configured<C>(definition: TopologyDefinition<C>, config: C): LineTopology {
  // The pair stays together, so whoever starts the definition gives it the config of its type.
  return { name: definition.name, definition: definition as TopologyDefinition<unknown>, config };
}

/** The named topologies of a line, in the order of the data path. `registered`: of a line with a registry. */
export function lineTopologies(
  line: Line,
  ports: { readonly source: ChangeSource; readonly registered?: LineSchemas | null },
): readonly LineTopology[] {
  const config = { ...line, registered: ports.registered ?? null };
  return [
    configured(mysqlExtractor, { ...config, start: line.source.start, source: ports.source }),
    configured(dispatcher, config),
    configured(appender, config),
  ];
}

export { appender, dispatcher, mysqlExtractor };
