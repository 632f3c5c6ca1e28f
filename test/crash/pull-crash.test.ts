import assert from 'node:assert/strict';
import { test } from 'node:test';
import { requireServer, serverKinds } from '../support/servers.ts';
import { pullCampaign } from './pull-campaign.ts';

for (const kind of serverKinds) {
  test(`a table of ${kind} that is pulled by processes which are killed is the source's in the end`, async t => {
    await using server = await requireServer(t, kind);
    if (server === null) return;
    const { kills, comparison } = await pullCampaign({ server, times: 4, rows: 60_000 });
    assert.deepEqual([comparison.differences, comparison.examples], [0, []]);
    assert.equal(kills, 4);
    assert.ok(comparison.rows > 40_000);
  });
}
