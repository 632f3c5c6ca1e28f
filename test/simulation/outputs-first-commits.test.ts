import { simulate } from './simulate.ts';

simulate('a line whose log writes outputs before offsets', {
  seeds: { from: 1001, to: 1150 },
  commitMode: 'outputs-first',
});
