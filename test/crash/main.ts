/** `npm run crash -- [--times N] [--server mariadb|mysql]`: the crash campaign, as long as asked. Exits with 1 when a rule is broken. */
import { parseArgs } from 'node:util';
import { startMariadb, startMysql } from '../support/servers.ts';
import { campaign } from './campaign.ts';

const { values } = parseArgs({
  options: {
    times: { type: 'string', default: '100' },
    server: { type: 'string', default: 'mariadb' },
  },
});
const times = Number(values.times);
if (!Number.isInteger(times) || times < 1 || !['mariadb', 'mysql'].includes(values.server)) {
  console.error('usage: npm run crash -- [--times N] [--server mariadb|mysql]');
  process.exit(2);
}
await using server = await (values.server === 'mysql' ? startMysql() : startMariadb());
const { proof, comparison, transactions } = await campaign({
  server,
  times,
  sourceKillEvery: 20,
  cutEvery: 7,
  progress: line => console.log(line),
});
for (const line of [...proof.violations, ...comparison.examples]) console.error(line);
console.log(
  `crash: ${times} kills, ${transactions} transactions, ${proof.rows} rows, ${proof.violations.length} violations, ${comparison.differences} differences`,
);
process.exitCode = proof.violations.length + comparison.differences === 0 ? 0 : 1;
