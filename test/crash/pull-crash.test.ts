import assert from 'node:assert/strict';
import { test } from 'node:test';
import { requireServer, serverKinds } from '../support/servers.ts';
import { pullCampaign } from './pull-campaign.ts';

for (const kind of serverKinds) {
  test(`a table of ${kind} that is pulled by processes which are killed is the source's in the end`, async t => {
    await using server = await requireServer(t, kind);
    if (server === null) return;
    const { kills, differences, examples, rows } = await pullCampaign({ server, times: 4, rows: 60_000 });
    t.diagnostic(`killed ${JSON.stringify(kills)}`);
    assert.deepEqual([differences, examples], [0, []]);
    assert.ok(rows > 40_000);
  });
}
