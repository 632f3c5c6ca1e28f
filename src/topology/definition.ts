import { messageOf, UmbusError } from '../core/errors.ts';
import type { Builder } from './stream.ts';
import type { OnError } from './types.ts';

/** A validator after the Standard Schema specification (standardschema.dev), version 1; zod 4 schemas are such. */
export interface ConfigSchema<C> {
  readonly '~standard': {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => ConfigResult<C> | Promise<ConfigResult<C>>;
  };
}

/** What a {@link ConfigSchema} answers. */
export type ConfigResult<C> =
  | { readonly value: C; readonly issues?: undefined }
  | {
      readonly issues: readonly {
        readonly message: string;
        readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
      }[];
    };

/**
 * What holds after a crash. `at-least-once`: nothing is lost, records may come twice. `effectively-once` (default): each task also
 * drops input that it has seen, by the `seq` of each lane, so a chain of such topologies has no duplicates, on any log.
 * `exactly-once`: the same, and outputs and offsets become visible together where the log has transactions.
 */
export type Guarantee = 'at-least-once' | 'effectively-once' | 'exactly-once';

/** One policy per place. `process`: a stage's function threw. `produce`: a sink could not route or encode. All default to `fail`. */
export interface ErrorPolicies {
  readonly decode: OnError;
  readonly process: OnError;
  readonly produce: OnError;
}

/** How much is gathered before a commit. */
export interface CommitOptions {
  /** Bytes of input per batch; default 4 MB. */
  readonly maxBytes?: number;
  /** A duration: gather for so long before a commit. Default: commit after each batch, which gives the lowest latency. */
  readonly every?: string;
}

/** What {@link defineTopology} takes. */
export interface TopologyOptions<C> {
  /** Lower-case words joined by `-`; part of the group name. */
  readonly name: string;
  /** Grows when the meaning of stores or outputs changes. */
  readonly version: number;
  readonly config: ConfigSchema<C>;
  readonly guarantee?: Guarantee;
  readonly commit?: CommitOptions;
  readonly onError?: Partial<ErrorPolicies>;
  /** Name of the dead-letter topic. Needed for the policy `dead-letter` and for `context.park`. */
  deadLetter?(config: C): string;
  /** Wires the stages. Does no IO; called once for each start. */
  build(t: Builder, config: C): void;
}

/** A topology as a value: what {@link defineTopology} returns and `startTopology`, `describe` and the test driver take. */
export interface TopologyDefinition<C> {
  readonly kind: 'topology';
  readonly name: string;
  readonly version: number;
  readonly config: ConfigSchema<C>;
  readonly guarantee: Guarantee;
  readonly commit: CommitOptions;
  readonly onError: ErrorPolicies;
  deadLetter(config: C): string | null;
  build(t: Builder, config: C): void;
}

const validName = /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/;

/**
 * Makes a topology. Throws UMBUS_TOPOLOGY_INVALID for a name that is not lower-case words joined by `-`, or a version below 1.
 *
 *     const upper = defineTopology({
 *       name: 'upper', version: 1, config: trusted<{ from: string; to: string }>(),
 *       build(t, { from, to }) {
 *         t.source('lines', topic(from, utf8, utf8)).map('upper', line => line.toUpperCase()).to('result', topic(to, utf8, utf8));
 *       },
 *     });
 */
export function defineTopology<C>(options: TopologyOptions<C>): TopologyDefinition<C> {
  if (!validName.test(options.name)) {
    throw new UmbusError(
      'UMBUS_TOPOLOGY_INVALID',
      `The topology name '${options.name}' is not lower-case words joined by '-'.`,
    );
  }
  if (!Number.isInteger(options.version) || options.version < 1) {
    throw new UmbusError(
      'UMBUS_TOPOLOGY_INVALID',
      `The topology '${options.name}' needs a version of at least 1.`,
    );
  }
  return Object.freeze({
    kind: 'topology' as const,
    name: options.name,
    version: options.version,
    config: options.config,
    guarantee: options.guarantee ?? 'effectively-once',
    commit: Object.freeze({ ...options.commit }),
    onError: Object.freeze({
      decode: 'fail' as const,
      process: 'fail' as const,
      produce: 'fail' as const,
      ...options.onError,
    }),
    deadLetter: (config: C) => options.deadLetter?.(config) ?? null,
    build: (t: Builder, config: C) => options.build(t, config),
  });
}

/** Whether a value, such as an export of a user's module, is a topology. */
export function isTopology(value: unknown): value is TopologyDefinition<unknown> {
  return (
    typeof value === 'object' &&
    value !== null &&
    'kind' in value &&
    value.kind === 'topology' &&
    'build' in value
  );
}

/** A schema that takes any config as it is: for configs that code has made and checked. */
export function trusted<C>(): ConfigSchema<C> {
  // The caller of `trusted` vouches for the type.
  return { '~standard': { version: 1, vendor: 'umbus', validate: value => ({ value: value as C }) } };
}

/** The config as the topology's schema gives it. Throws UMBUS_CONFIG_INVALID with every issue and its path. */
export function configOf<C>(definition: TopologyDefinition<C>, config: unknown): C {
  let result: ConfigResult<C> | Promise<ConfigResult<C>>;
  try {
    result = definition.config['~standard'].validate(config);
  } catch (cause) {
    throw new UmbusError(
      'UMBUS_CONFIG_INVALID',
      `The config of '${definition.name}' could not be checked: ${messageOf(cause)}.`,
      { cause },
    );
  }
  if (result instanceof Promise) {
    throw new UmbusError(
      'UMBUS_CONFIG_INVALID',
      `The config schema of '${definition.name}' must not be asynchronous.`,
    );
  }
  if (result.issues === undefined) return result.value;
  const issues = result.issues.map(issue => {
    const path = (issue.path ?? []).map(part => String(typeof part === 'object' ? part.key : part)).join('.');
    return path === '' ? issue.message : `${path}: ${issue.message}`;
  });
  throw new UmbusError(
    'UMBUS_CONFIG_INVALID',
    `The config of '${definition.name}' is not valid: ${issues.join('; ')}.`,
  );
}
