import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command, Option } from 'commander';
import { messageOf, UmbusError } from '../../core/errors.ts';
import type { Terminal } from '../terminal.ts';

/** Databases that the dashboards can ask. */
const kinds = ['influxdb', 'prometheus'] as const;

/** `umbus dashboards`: writes the dashboards for Grafana. */
export function dashboardsCommand(terminal: Terminal): Command {
  return new Command('dashboards')
    .summary('write dashboards for Grafana')
    .description(
      'Writes the dashboards of umbus as JSON for Grafana 10 or later, one file each, made from the same catalogue as the metrics. They ask a data source with the uid `umbus` (InfluxDB) or `umbus-prometheus`. Files that are there are written anew.',
    )
    .argument('<directory>', 'where to; made when missing')
    .addOption(
      new Option('--source <kind>', 'the database that Grafana asks').choices(kinds).default('influxdb'),
    )
    .addHelpText(
      'after',
      `
Example:
  $ umbus dashboards /var/lib/grafana/dashboards --source prometheus`,
    )
    .action(async (directory: string, options: { readonly source: (typeof kinds)[number] }) => {
      const files = await dashboardFiles(options.source);
      try {
        mkdirSync(directory, { recursive: true });
        for (const { name, text } of files) writeFileSync(join(directory, name), text);
      } catch (cause) {
        throw new UmbusError('UMBUS_USAGE', `The dashboards cannot be written: ${messageOf(cause)}.`, {
          cause,
        });
      }
      terminal.tell(`Wrote ${files.length} dashboards to ${directory}.`);
    });
}

/** The dashboards as files. */
export async function dashboardFiles(
  kind: (typeof kinds)[number],
): Promise<readonly { readonly name: string; readonly text: string }[]> {
  const [{ boards }, { grafanaText }, { influxdbDialect }, { prometheusDialect }] = await Promise.all([
    import('../../telemetry/dashboards/boards.ts'),
    import('../../telemetry/dashboards/grafana.ts'),
    import('../../telemetry/dashboards/influxql.ts'),
    import('../../telemetry/dashboards/promql.ts'),
  ]);
  const dialect = kind === 'influxdb' ? influxdbDialect : prometheusDialect;
  return boards.map(board => ({ name: `umbus-${board.name}.json`, text: grafanaText(board, dialect) }));
}
