/**
 * Random definitions among random rows on servers whose binlog does not name columns, and a line that is stopped and started anywhere between, also long before it has caught up:
 * what it publishes is what a line publishes that reads the same from a server that names them. A failure prints the statements, its seed and its path; `UMBUS_SEED` runs another
 * seed, `UMBUS_DIFFERENTIAL_RUNS` so many cases on every such server (with a seed of the moment, unless one is given).
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { FollowedDefinitions } from '../support/definitions/followed-definitions.ts';
import { definitionCase } from '../support/definitions/random-case.ts';
import { type AnyServerKind, requireServer } from '../support/servers.ts';

const RUNS = 5;
const SEED = 20_261_128;

const runs = Number(process.env['UMBUS_DIFFERENTIAL_RUNS'] ?? RUNS);
const seed = Number(process.env['UMBUS_SEED'] ?? (runs > RUNS ? Date.now() % 2 ** 31 : SEED));
const path = process.env['UMBUS_PATH'];
/** Of the whole, failing included: a case is made smaller again and again. */
const LIMIT_MS = runs > RUNS || path !== undefined ? 40 * 60_000 : 3 * 60_000;

interface Pair {
  readonly nameless: AnyServerKind;
  readonly args: readonly string[];
  readonly naming: AnyServerKind;
}

/** A server that does not name columns, and one that does, which take the same statements. */
const pairs: readonly Pair[] = [
  { nameless: 'mariadb', args: ['--binlog-row-metadata=NO_LOG'], naming: 'mariadb' },
  { nameless: 'mysql', args: ['--binlog-row-metadata=MINIMAL'], naming: 'mysql' },
  { nameless: 'mysql56', args: ['--explicit-defaults-for-timestamp'], naming: 'mysql' },
];
const COMMON = ['--character-set-server=latin1', '--collation-server=latin1_swedish_ci'];

for (const { nameless: kind, args, naming: other } of pairs) {
  test(`random definitions on ${kind} are followed as if they named columns: ${runs} cases of seed ${seed}`, async t => {
    await using nameless = await requireServer(t, kind, { args: [...COMMON, ...args] });
    await using naming = await requireServer(t, other, { args: COMMON });
    if (nameless === null || naming === null) return;
    await using definitions = await FollowedDefinitions.open(kind, nameless, naming);
    await fc.assert(
      fc.asyncProperty(definitionCase, async each => {
        assert.deepEqual(await definitions.run(each), []);
      }),
      { numRuns: runs, seed, ...(path === undefined ? {} : { path }), interruptAfterTimeLimit: LIMIT_MS },
    );
    const { tally } = definitions;
    t.diagnostic(`${kind}: ${JSON.stringify(tally)}`);
    if (path !== undefined) return;
    assert.ok(tally.statements > 4 * tally.refused, 'most statements are taken');
    assert.ok(tally.cases > 4 * tally.apart && tally.published > tally.cases, 'most cases compare something');
    assert.ok(tally.starts > tally.cases, 'lines are started again');
  });
}
