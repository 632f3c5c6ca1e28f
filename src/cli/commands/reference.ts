import { readFileSync, writeFileSync } from 'node:fs';
import { Command } from 'commander';
import { referenceMarkdown } from '../../config/reference.ts';
import { messageOf, UmbusError } from '../../core/errors.ts';
import type { Terminal } from '../terminal.ts';

const begin = '<!-- config-reference:begin -->';
const end = '<!-- config-reference:end -->';

/** `umbus reference`, not listed in the help: prints the configuration reference, or writes it into a Markdown file between its markers. */
export function referenceCommand(terminal: Terminal): Command {
  return new Command('reference')
    .description('Prints the configuration reference as Markdown.')
    .option('--write <file>', `replace what stands between ${begin} and ${end} in a file`)
    .action(async (options: { readonly write?: string }) => {
      if (options.write === undefined) await terminal.write(`${referenceMarkdown()}\n`);
      else rewrite(options.write);
    });
}

/** A Markdown text with the current reference between its markers; null when the markers are not there. */
export function withReference(text: string): string | null {
  const from = text.indexOf(begin);
  const to = text.indexOf(end);
  if (from < 0 || to < from) return null;
  return `${text.slice(0, from + begin.length)}\n${referenceMarkdown()}\n${text.slice(to)}`;
}

function rewrite(file: string): void {
  let text: string | null;
  try {
    text = withReference(readFileSync(file, 'utf8'));
    if (text !== null) writeFileSync(file, text);
  } catch (cause) {
    throw new UmbusError(
      'UMBUS_CONFIG_UNREADABLE',
      `The file ${file} cannot be rewritten: ${messageOf(cause)}.`,
      { cause },
    );
  }
  if (text === null)
    throw new UmbusError('UMBUS_USAGE', `The file ${file} does not have the markers ${begin} and ${end}.`);
}
