import type { StoreDef } from '../topology/types.ts';
import type { PullState } from './pull-state.ts';

/** The stores of the appender that pulls need. */
export type PullStores = {
  readonly pulls: StoreDef<string, PullState>;
  readonly changed: StoreDef<string, string>;
  readonly held: StoreDef<string, Uint8Array>;
};
