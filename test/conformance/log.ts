/** The behaviour that every adapter of `ports/log.ts` has. A case that needs what a log cannot do is left out by its fixture. */
import { describe } from 'node:test';
import type { OpenFixture } from './log-fixture.ts';
import { describeGroups } from './log-groups.ts';
import { describeModel } from './log-model.ts';
import { describeReading } from './log-reading.ts';
import { describeStorage } from './log-storage.ts';
import { describeWriting } from './log-writing.ts';

export type { LogFixture } from './log-fixture.ts';

/** What the fixture of a log can do; see `LogFixture`. */
export interface LogTraits {
  readonly reopens: boolean;
  readonly maintains: boolean;
  /** Expels a member that gives nothing back within the time of a test. */
  readonly expels: boolean;
  /** Every append, and with transactions every commit, leaves an offset behind that holds no record: the marker of its transaction. */
  readonly markers?: boolean;
  /** Every call is a round trip to a server: random runs are fewer. */
  readonly remote?: boolean;
}

/** Registers the suite for one adapter. `open` is called once for each case. */
export function describeLog(name: string, open: OpenFixture, traits: LogTraits): void {
  describe(`log: ${name}`, () => {
    describeReading(open, traits);
    describeWriting(open);
    describeGroups(open, traits);
    describeStorage(open, traits);
    describeModel(open, traits);
  });
}
