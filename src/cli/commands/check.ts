import { Command } from 'commander';
import type { Check } from '../../adapters/mysql/index.ts';
import type { Line } from '../../config/line.ts';
import { subscription } from '../../config/subscription.ts';
import { checksText } from '../check/checks-text.ts';
import { connectionCheck, fileChecks } from '../check/line-checks.ts';
import { logChecks } from '../check/log-checks.ts';
import { exitCodes } from '../exit-codes.ts';
import { jsonText } from '../json-text.ts';
import { checkedLineOf } from '../open-line.ts';
import type { ExitWith } from '../program.ts';
import { pullReplica } from '../pull/pull-replica-of.ts';
import type { Terminal } from '../terminal.ts';

/** `umbus check`: whether the source and this machine are ready for the line. */
export function checkCommand(terminal: Terminal, exitWith: ExitWith): Command {
  return new Command('check')
    .summary('whether source and machine are ready for a line')
    .description(
      'Looks, item by item, whether the server can be captured exactly (binlog, row image, row metadata, grants, retention, server id, clock, tables), whether full pulls can write their watermarks and read the replica that the line names (account, lag, order, tables), and whether the line file and the disk fit. Says what must change, why, and the statement that mends it. Changes nothing, but for a line with heartbeats or a replica for pulls: there a row is inserted, which lines ignore, and deleted.',
    )
    .requiredOption('--line <file>', 'data line file')
    .option('--json', 'as JSON, for scripts')
    .addHelpText(
      'after',
      `
Exits with 0 when nothing must change (warnings are allowed), 1 when something must,
also when the server cannot be reached, and 3 when the line file is not valid.

Examples:
  $ umbus check --line shop.yaml
  $ umbus check --line shop.yaml --json | jq -r '.checks[] | select(.ok == false) | .statement'`,
    )
    .action(async (options: { readonly line: string; readonly json?: boolean }) => {
      const { line, warnings } = checkedLineOf(options.line, terminal);
      const checks = [
        ...fileChecks(options.line, warnings),
        ...(await logChecks(line)),
        ...(await serverChecks(line, terminal.stopping)),
      ];
      const ok = checks.every(check => check.ok !== false);
      const paint = terminal.paint.bind(terminal);
      await terminal.report(
        options.json === true ? `${jsonText({ ds: line.ds, ok, checks })}\n` : checksText(checks, paint),
      );
      if (!ok) exitWith(exitCodes.failed);
    });
}

async function serverChecks(line: Line, signal: AbortSignal): Promise<readonly Check[]> {
  const [{ examine, examinePulls }, { systemClock }] = await Promise.all([
    import('../../adapters/mysql/index.ts'),
    import('../../adapters/system-clock.ts'),
  ]);
  const schemas = Object.keys(line.schemas);
  try {
    const subscribed = subscription(line);
    const capture = await examine(line.source, {
      schemas,
      subscribed,
      signals: line.heartbeat === null ? null : line.signals.schema,
      now: () => systemClock.now(),
      signal,
    });
    const pulls = await examinePulls(line.source, {
      schemas,
      subscribed,
      replica: pullReplica(line),
      signals: line.signals.schema,
      needed:
        line.pull.replica !== null || Object.values(line.schemas).some(({ initial }) => initial === 'pull'),
      signal,
    });
    return [...capture, ...pulls];
  } catch (error) {
    // A server that lets nobody in is the first item to mend.
    return [connectionCheck(line, error)];
  }
}
