/** The behaviour that every adapter of `ports/coordination.ts` has. A case that needs what a fixture cannot do says so and passes. */
import { describe } from 'node:test';
import { describeCells } from './coordination-cells.ts';
import type { CoordinationTraits, OpenCoordination } from './coordination-fixture.ts';
import { describeLeases } from './coordination-leases.ts';

export type { CoordinationFixture, CoordinationTraits } from './coordination-fixture.ts';

/** Registers the suite for one adapter. `open` is called once for each case. */
export function describeCoordination(name: string, open: OpenCoordination, traits: CoordinationTraits): void {
  describe(`coordination: ${name}`, () => {
    describeLeases(open, traits);
    describeCells(open);
  });
}
