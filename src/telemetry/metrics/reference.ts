import { catalogue } from './catalogue.ts';

/** The catalogue as a Markdown table. README holds it between `<!-- metrics:begin -->` and `<!-- metrics:end -->`. */
export function metricsMarkdown(): string {
  const rows = catalogue.flatMap(({ title, metrics }) => [
    `| **${title}** | | | |`,
    ...metrics.map(({ name, kind, labels, help }) => {
      const listed = labels.map(label => `\`${label}\``).join(', ');
      return `| \`${name}\` | ${kind} | ${listed} | ${help.replaceAll('|', '\\|')} |`;
    }),
  ]);
  return ['| metric | type | labels | meaning |', '|---|---|---|---|', ...rows].join('\n');
}
