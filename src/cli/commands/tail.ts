import { Command } from 'commander';
import { lineOf, openLineLog } from '../open-line.ts';
import { offsetOption, wholeOption } from '../options.ts';
import { openAvroText } from '../render/avro-text.ts';
import { recordJson, recordLines } from '../render/record-lines.ts';
import { RECENT_RECORDS, type TailFrom, tailTopic } from '../tail.ts';
import type { Terminal } from '../terminal.ts';

interface Options {
  readonly line: string;
  readonly from: TailFrom;
  readonly partition?: number;
  readonly follow?: boolean;
  readonly json?: boolean;
  readonly limit?: number;
}

/** `umbus tail`: prints records of a topic. */
export function tailCommand(terminal: Terminal): Command {
  return new Command('tail')
    .summary('print the records of a topic')
    .description(
      'Prints records of a topic: UMS messages a line a row, raw runs summed up, other values as text or bytes. Reads beside the process that runs the line and changes nothing.',
    )
    .argument('<topic>', 'for example shop.shop.result; `umbus status` lists them')
    .requiredOption('--line <file>', 'data line file')
    .option(
      '--from <where>',
      `beginning, end, or an offset (with --partition); without it the last ${RECENT_RECORDS} records of each partition`,
      fromOption,
      'recent',
    )
    .option('--partition <number>', 'only this partition', wholeOption)
    .option('-f, --follow', 'go on with what is appended, until Ctrl-C')
    .option('--json', 'values as they are, one a line')
    .option('--limit <number>', 'stop after so many records', wholeOption)
    .addHelpText(
      'after',
      `
Examples:
  $ umbus tail --line shop.yaml shop.shop.result --follow
  $ umbus tail --line shop.yaml shop.shop.result --from beginning --json | jq .payload
  $ umbus tail --line shop.yaml shop --from 4711 --partition 0 --limit 1`,
    )
    .action(async (topic: string, options: Options) => {
      const line = lineOf(options.line, terminal);
      await using log = await openLineLog(line, 'reader');
      await using avro = await openAvroText(line, topic);
      const { from, partition = null, follow = false, limit = null } = options;
      const paint = terminal.paint.bind(terminal);
      await tailTopic(
        log,
        { topic, partition, from, follow, limit },
        async (place, stored) => {
          const record = avro === null ? stored : await avro.asJson(place, stored);
          const lines = options.json === true ? [recordJson(record)] : recordLines(place, record, paint);
          await terminal.write(`${lines.join('\n')}\n`);
        },
        terminal.stopping,
      );
    });
}

function fromOption(text: string): TailFrom {
  if (text === 'beginning' || text === 'end' || text === 'recent') return text;
  return offsetOption(text);
}
