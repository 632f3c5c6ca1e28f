import assert from 'node:assert/strict';
import test from 'node:test';
import type { Guarantee } from '../../src/config/line.ts';
import { requireKafka, requireServer, requireZookeeper } from '../support/servers.ts';
import { kafkaCampaign } from './kafka-campaign.ts';
import { pullCampaign } from './pull-campaign.ts';

const TIMES = 7;
/** The processes of a line agree on Kafka itself, or by ZooKeeper. */
const campaigns: readonly { readonly guarantee: Guarantee; readonly byZookeeper: boolean }[] = [
  { guarantee: 'at-least-once', byZookeeper: false },
  { guarantee: 'exactly-once', byZookeeper: true },
];

test('on Kafka a line whose processes and servers are killed again and again', async t => {
  await using kafka = await requireKafka(t);
  if (kafka === null) return;
  for (const { guarantee, byZookeeper } of campaigns) {
    await t.test(
      `${guarantee}: loses nothing, doubles nothing and keeps order over ${TIMES} kills`,
      async t => {
        await using server = await requireServer(t, 'mariadb');
        if (server === null) return;
        await using zookeeper = byZookeeper ? await requireZookeeper(t) : null;
        if (byZookeeper && zookeeper === null) return;
        const { proof, comparison, transactions, kills } = await kafkaCampaign({
          server,
          kafka,
          zookeeper,
          guarantee,
          times: TIMES,
          serverKillEvery: 5,
          cutEvery: 4,
          progressEvery: 4,
          progress: line => t.diagnostic(line),
        });
        t.diagnostic(
          `killed ${JSON.stringify(kills)}; ${transactions} transactions, ${proof.rows} rows, ${proof.repeats} repeats`,
        );
        assert.deepEqual(proof.violations, []);
        assert.deepEqual(comparison.examples, []);
        assert.equal(comparison.differences, 0);
        assert.ok(transactions > 5 * TIMES, 'the source was busy');
      },
    );
  }
  await t.test(
    'a table is pulled by two pullers while they, the splitter and the appender are killed',
    async t => {
      await using server = await requireServer(t, 'mariadb');
      if (server === null) return;
      const { kills, differences, examples, rows, pulls } = await pullCampaign({
        server,
        kafka,
        times: 5,
        rows: 60_000,
      });
      t.diagnostic(`killed ${JSON.stringify(kills)}; ${pulls} pulls`);
      assert.deepEqual([differences, examples], [0, []]);
      assert.ok(rows > 25_000);
    },
  );
});
