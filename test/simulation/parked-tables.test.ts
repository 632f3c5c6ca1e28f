import { simulate } from './simulate.ts';

for (const commitMode of ['atomic', 'outputs-first'] as const) {
  const from = commitMode === 'atomic' ? 2001 : 3001;
  simulate(`a line with a table that goes bad, with ${commitMode} commits,`, {
    seeds: { from, to: from + 59 },
    commitMode,
    spoils: true,
  });
}
