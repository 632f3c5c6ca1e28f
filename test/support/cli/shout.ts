/** A module as a user writes it: two topologies, one of them in an array. */
import { z } from 'zod';
import { defineTopology, isTopology } from '../../../src/topology/definition.ts';
import { utf8 } from '../../../src/topology/serdes.ts';
import { topic } from '../../../src/topology/topic.ts';

const config = z.object({ from: z.string(), to: z.string(), sign: z.string().default('!') });

export const shout = defineTopology({
  name: 'shout',
  version: 1,
  config,
  build(t, { from, to, sign }) {
    t.source('words', topic(from, utf8, utf8))
      .map('shout', word => word.toUpperCase() + sign)
      .to('shouted', topic(to, utf8, utf8));
  },
});

export const others = [
  defineTopology({
    name: 'whisper',
    version: 1,
    config,
    build(t, { from, to }) {
      t.source('words', topic(from, utf8, utf8))
        .map('whisper', word => word.toLowerCase())
        .to('whispered', topic(`${to}.low`, utf8, utf8));
    },
  }),
];

export const notATopology = isTopology;
