import fc from 'fast-check';
import { makes, type Subject } from './statement-sql.ts';

/** A step of a case: statements, or something that happens to the line. */
export type Step =
  | { readonly kind: 'statements'; readonly subject: Subject; readonly numbers: readonly number[] }
  /** The line runs from here on, or does not. */
  | { readonly kind: 'start' | 'stop' | 'drain' }
  /** The line runs for about so many runs, and stops again, behind. */
  | { readonly kind: 'glimpse'; readonly runs: number };

/** What is done to a server and a line. */
export interface DefinitionCase {
  /** The step before whose place in the binlog the line begins; 0: before the schemas are made. */
  readonly begin: number;
  /** Whether all can be known of columns, so that nothing may be parked. */
  readonly plain: boolean;
  readonly steps: readonly Step[];
}

const NUMBERS = 40;
const STEPS = { minLength: 8, maxLength: 60 };
const numbers = fc.array(fc.nat(9_999), { minLength: NUMBERS, maxLength: NUMBERS });

const statements: fc.Arbitrary<Step> = fc.record({
  kind: fc.constant('statements'),
  subject: fc.oneof(
    // The keys of an object are text to the compiler.
    ...(Object.keys(makes) as Subject[]).map(subject => ({
      weight: makes[subject][1],
      arbitrary: fc.constant(subject),
    })),
  ),
  numbers,
});

const lines: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constantFrom('start', 'stop', 'stop', 'drain') }),
  fc.record({ kind: fc.constant('glimpse'), runs: fc.integer({ min: 1, max: 12 }) }),
);

/** A random case. */
export const definitionCase: fc.Arbitrary<DefinitionCase> = fc
  .record({
    begin: fc.oneof({ weight: 1, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(12) }),
    plain: fc.boolean(),
    steps: fc.array(fc.oneof({ weight: 8, arbitrary: statements }, { weight: 1, arbitrary: lines }), STEPS),
  })
  .map(each => (each.plain ? { ...each, begin: 0 } : each));
