import assert from 'node:assert/strict';
import test from 'node:test';
import { requireServer, type ServerKindName } from '../support/servers.ts';
import { campaign } from './campaign.ts';

const campaigns: readonly {
  readonly kind: ServerKindName;
  readonly times: number;
  readonly sourceKillEvery: number;
}[] = [
  { kind: 'mariadb', times: 24, sourceKillEvery: 8 },
  { kind: 'mysql', times: 10, sourceKillEvery: 4 },
];

for (const { kind, times, sourceKillEvery } of campaigns) {
  test(`on ${kind} a line killed ${times} times, its source killed and cut too, loses nothing, doubles nothing and keeps order`, async t => {
    await using server = await requireServer(t, kind);
    if (server === null) return;
    const { proof, comparison, transactions } = await campaign({
      server,
      times,
      sourceKillEvery,
      cutEvery: 7,
      progress: line => t.diagnostic(line),
    });
    t.diagnostic(`${transactions} transactions, ${proof.rows} rows, ${comparison.rows} rows compared`);
    assert.deepEqual(proof.violations, []);
    assert.deepEqual(comparison.examples, []);
    assert.equal(comparison.differences, 0);
    assert.ok(transactions > 5 * times, 'the source was busy');
  });
}
