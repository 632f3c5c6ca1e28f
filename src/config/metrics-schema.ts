import type { MetricsSettings } from './line.ts';
import { optionalSection, section } from './setting-groups.ts';
import { duration, listenAddress, whole } from './settings.ts';

/** The `metrics` section. */
export const metricsSchema = section(
  {
    doc: 'What each process of the line measures, and where it goes. Nothing is measured while no destination is named.',
  },
  {
    every: duration(
      { doc: 'How often the source and the log are asked how far they are.', min: '1s', max: '10m' },
      { value: 15_000, text: '15s' },
    ),
    tables: whole<never>(
      {
        doc: 'Most tables with values of their own; the others are added up.',
        min: 1,
        max: 100_000,
      },
      { value: 1_000, text: '1000' },
    ),
    prometheus: optionalSection(
      { doc: 'Serves `/metrics`, `/healthz` and `/readyz`. `umbus run --metrics HOST:PORT` does so too.' },
      {
        listen: listenAddress(
          {
            doc: 'Where to listen. A port alone means this machine only; `0.0.0.0:9464` lets others come, and nothing asks them who they are.',
          },
          '127.0.0.1:9464',
        ),
      },
    ),
  },
);

/** What a line file without the section says: nothing is measured. */
export const noMetrics: MetricsSettings = { everyMs: 15_000, maxTables: 1_000, prometheus: null };
