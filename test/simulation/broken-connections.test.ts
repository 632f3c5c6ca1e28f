import { simulate } from './simulate.ts';

simulate('a line whose connections break and whose bytes are damaged most of the time', {
  seeds: { from: 4001, to: 4060 },
  commitMode: 'atomic',
  source: { unreachable: 0.2, cut: 0.8, damage: 0.8, damageWithin: 8 },
  rates: { crash: 0.02, limit: 10 },
});
