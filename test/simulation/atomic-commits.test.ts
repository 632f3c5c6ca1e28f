import { simulate } from './simulate.ts';

simulate('a line whose log commits outputs and offsets together', {
  seeds: { from: 1, to: 150 },
  commitMode: 'atomic',
});
