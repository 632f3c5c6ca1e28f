/**
 * Random tables of every type, random rows and random changes, on real servers: what the messages rebuild is what SELECT answers, byte for byte. A failure prints the case, its
 * seed and its path; `UMBUS_SEED` runs another seed, `UMBUS_DIFFERENTIAL_RUNS` more cases (with a seed of the moment, unless one is given).
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { rebuild } from '../../src/cli/quickstart/compare.ts';
import { Differential } from '../support/differential/differential.ts';
import { randomCase } from '../support/differential/statements.ts';
import { startLine } from '../support/running-line.ts';
import { type AnyServerKind, allServerKinds, requireServer } from '../support/servers.ts';

const RUNS = 60;
const SEED = 20_261_128;

const runs = Number(process.env['UMBUS_DIFFERENTIAL_RUNS'] ?? RUNS);
const seed = Number(process.env['UMBUS_SEED'] ?? (runs > RUNS ? Date.now() % 2 ** 31 : SEED));
const path = process.env['UMBUS_PATH'];

const WHOLE_CASES = 8;

/** A server and what it is set to; `part`: of the cases. */
interface Source {
  readonly kind: AnyServerKind;
  readonly metadata?: string;
  readonly part: number;
}

/** All kinds, and those again that can leave out the metadata by which the others are read. */
const sources: readonly Source[] = [
  ...allServerKinds.map(kind => ({ kind, part: 1 })),
  { kind: 'mysql', metadata: 'MINIMAL', part: 1 / 3 },
  { kind: 'mariadb', metadata: 'NO_LOG', part: 1 / 3 },
];

for (const kind of allServerKinds) {
  test(`random tables and changes on ${kind} pass a whole line as SELECT gives them`, async t => {
    await using server = await requireServer(t, kind, { args: ['--secure-file-priv='] });
    if (server === null) return;
    await using differential = await Differential.open(server);
    const schemas = Array.from({ length: WHOLE_CASES }, (_, i) => `whole_${i}`);
    await using line = await startLine({ server, schemas, partitions: 3, runBytes: 4096 });
    const cases = fc.sample(randomCase(kind), { numRuns: WHOLE_CASES, seed });
    for (const [i, each] of cases.entries()) await differential.apply(`whole_${i}`, each);
    await line.drained();
    const topics = schemas.map(schema => `test.${schema}.result`);
    const { tables } = await rebuild(line.log, topics);
    for (const [i, schema] of schemas.entries()) {
      assert.deepEqual(await differential.differences(schema, tables), [], JSON.stringify(cases[i]));
    }
  });
}

for (const { kind, metadata, part } of sources) {
  const name = metadata === undefined ? kind : `${kind} with ${metadata} metadata`;
  const args = [
    '--secure-file-priv=',
    ...(metadata === undefined ? [] : [`--binlog-row-metadata=${metadata}`]),
  ];
  const count = Math.ceil(runs * part);
  test(`random tables and changes on ${name} come out as SELECT gives them: ${count} cases of seed ${seed}`, async t => {
    await using server = await requireServer(t, kind, { args });
    if (server === null) return;
    await using differential = await Differential.open(server);
    await fc.assert(
      fc.asyncProperty(randomCase(kind), async each => {
        assert.deepEqual(await differential.run(each), []);
      }),
      { numRuns: count, seed, ...(path === undefined ? {} : { path }), interruptAfterTimeLimit: 40 * 60_000 },
    );
    const { tables, statements } = differential;
    t.diagnostic(`${name}: tables ${JSON.stringify(tables)}, statements ${JSON.stringify(statements)}`);
    if (path !== undefined) return;
    assert.ok(tables.done > 4 * tables.refused, JSON.stringify(tables));
    assert.ok(statements.done > statements.refused, JSON.stringify(statements));
  });
}
