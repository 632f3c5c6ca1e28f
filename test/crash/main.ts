/**
 * `npm run crash -- [--times N] [--server mariadb|mysql] [--pull [--rows N]] [--kafka [--guarantee at-least-once|exactly-once] [--zookeeper]]`: the crash campaign, as long as asked; with `--pull`, while whole tables are pulled. Exits with 1 when a
 * rule is broken.
 */
import { parseArgs } from 'node:util';
import type { Guarantee } from '../../src/config/line.ts';
import { type Server, startKafka, startMariadb, startMysql, startZookeeper } from '../support/servers.ts';
import { type CampaignResult, campaign } from './campaign.ts';
import { kafkaCampaign } from './kafka-campaign.ts';
import { pullCampaign } from './pull-campaign.ts';

const guarantees: readonly Guarantee[] = ['at-least-once', 'effectively-once', 'exactly-once'];

const { values } = parseArgs({
  options: {
    times: { type: 'string', default: '100' },
    server: { type: 'string', default: 'mariadb' },
    kafka: { type: 'boolean', default: false },
    guarantee: { type: 'string', default: 'exactly-once' },
    zookeeper: { type: 'boolean', default: false },
    pull: { type: 'boolean', default: false },
    rows: { type: 'string', default: '10000000' },
  },
});
const times = Number(values.times);
const guarantee = guarantees.find(each => each === values.guarantee);
if (
  !Number.isInteger(times) ||
  times < 1 ||
  !['mariadb', 'mysql'].includes(values.server) ||
  guarantee === undefined
) {
  console.error(
    'usage: npm run crash -- [--times N] [--server mariadb|mysql] [--pull [--rows N]] [--kafka [--guarantee at-least-once|exactly-once] [--zookeeper]]',
  );
  process.exit(2);
}
const progress = (line: string): void => console.log(line);

async function onKafka(server: Server, wanted: Guarantee): Promise<CampaignResult> {
  await using kafka = await startKafka();
  await using zookeeper = values.zookeeper ? await startZookeeper() : null;
  const every = { serverKillEvery: 12, cutEvery: 9, progressEvery: 8 };
  const { kills, ...result } = await kafkaCampaign({
    server,
    kafka,
    zookeeper,
    guarantee: wanted,
    times,
    ...every,
    progress,
  });
  console.log(`killed: ${JSON.stringify(kills)}`);
  return { kills: times, ...result };
}

/** Whether nothing differs in the end. */
async function pulled(server: Server): Promise<boolean> {
  await using kafka = values.kafka ? await startKafka() : null;
  const result = await pullCampaign({ server, kafka, times, rows: Number(values.rows), progress });
  for (const line of result.examples) console.error(line);
  console.log(
    `crash: killed ${JSON.stringify(result.kills)}, ${result.pulls} full pulls of ${values.rows} rows, ${result.changes} changes, ${result.differences} differences`,
  );
  return result.differences === 0;
}

async function streamed(server: Server): Promise<boolean> {
  const { proof, comparison, transactions } = values.kafka
    ? await onKafka(server, guarantee ?? 'exactly-once')
    : await campaign({ server, times, sourceKillEvery: 20, cutEvery: 7, progress });
  for (const line of [...proof.violations, ...comparison.examples]) console.error(line);
  console.log(
    `crash: ${times} kills, ${transactions} transactions, ${proof.rows} rows, ${proof.repeats} repeats, ${proof.violations.length} violations, ${comparison.differences} differences`,
  );
  return proof.violations.length + comparison.differences === 0;
}

await using server = await (values.server === 'mysql' ? startMysql() : startMariadb());
process.exitCode = (await (values.pull ? pulled(server) : streamed(server))) ? 0 : 1;
