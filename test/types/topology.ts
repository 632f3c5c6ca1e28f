/**
 * Type tests of the topology library, checked by tsc and never run: what is right compiles, and each misuse below an
 * `@ts-expect-error` does not.
 */
import { z } from 'zod';
import {
  defineTopology,
  int32,
  json,
  type Processor,
  type Serde,
  store,
  type Topic,
  topic,
  trusted,
  utf8,
} from '../../src/index.ts';

type Rows = { kind: 'rows'; schema: string; table: string; rows: unknown[][] };
type Beat = { kind: 'beat'; schema: string; table: string; sentAt: number };
type Control = { kind: 'control'; schema: string; table: string; cmd: 'FULL_PULL' | 'RELOAD' };
type Packet = Rows | Beat | Control;
const isControl = (p: Packet): p is Control => p.kind === 'control';
const isData = (p: Packet): p is Rows | Beat => p.kind !== 'control';
const packets = topic('packets', utf8, json<Packet>());
const versions = store('versions', utf8, json<{ version: number }>());

/** True only when the two types are the same. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const same = <A, B>(_: Same<A, B>): void => {};

/** The config type comes from a zod schema, and reaches `build` and `deadLetter`. */
export const dispatcher = defineTopology({
  name: 'dispatcher',
  version: 1,
  config: z.object({ ds: z.string(), schemas: z.array(z.string()) }),
  onError: { decode: 'dead-letter', process: { policy: 'dead-letter', retries: 2 } },
  deadLetter: ({ ds }) => `${ds}_dead`,
  build(t, { ds, schemas }) {
    same<typeof schemas, string[]>(true);
    const out = new Map(schemas.map(s => [s, topic(`${ds}.${s}`, utf8, json<Rows | Beat>())]));
    const { control, data } = t
      .source('first-level', packets)
      .branch('kind', { control: isControl, data: isData });
    control.to('control', topic(`${ds}.control`, utf8, json<Control>()));
    data
      .filter('subscribed', p => out.has(p.schema))
      .key('by-table', p => `${p.schema}.${p.table}`)
      .to('per-schema', p => out.get(p.schema) ?? topic(`${ds}.other`, utf8, json<Rows | Beat>()), {
        topics: [...out.values()],
        partition: (p, key, partitions) => (p.table.length + key.length) % partitions,
      });
  },
});

const counter = (): Processor<string, Packet, string, number, { versions: typeof versions }> => ({
  on({ key, value }, { stores }, emit) {
    const version = stores.versions.get(key)?.version ?? 0;
    // @ts-expect-error the store holds objects, not numbers
    stores.versions.set(key, version);
    // @ts-expect-error this stage emits numbers
    emit(key, value);
    emit(key, version, { partition: 1 });
  },
  every: { commit: (_, emit) => emit('end', 1) },
});

export const stages = defineTopology({
  name: 'stages',
  version: 1,
  config: trusted<{ limit: number }>(),
  build(t, config) {
    const source = t.source('in', packets);
    source.process('count', { versions }, counter).to('counts', topic('counts', utf8, int32));
    // @ts-expect-error the processor needs the store `versions`
    source.process('no-stores', {}, counter);
    source.filter('control', isControl).map('cmd', c => same<typeof c.cmd, 'FULL_PULL' | 'RELOAD'>(true));
    source.key('size', p => p.table.length).map('keyed', (_, r) => same<typeof r.key, number>(true));
    source
      .mapAsync('later', async p => p.table, { inFlight: 2, order: 'key' })
      .to('tables', topic('tables', utf8, utf8));
    source.to('projected', topic('projected', int32, utf8), {
      key: p => p.table.length,
      value: p => p.schema,
    });
    source.to('value-only', topic('value-only', utf8, utf8), { value: p => p.schema });
    // @ts-expect-error the projection gives text, the topic holds numbers
    source.to('wrong-projection', topic('x', utf8, int32), { value: p => p.schema });
    const rules = t.watch('rules', '/rules', json<readonly string[]>(), { initial: [] });
    same<typeof rules.value, readonly string[]>(true);
    t.control('ctrl', topic('ctrl', utf8, json<Control>()), (c, context) => {
      if (c.cmd === 'RELOAD') context.pause(packets);
    });
    // @ts-expect-error there is no such config member
    t.source('other', topic(config.missing, utf8, utf8));
  },
});

defineTopology({
  name: 'x',
  version: 1,
  config: trusted<null>(),
  build(t) {
    // @ts-expect-error wrong value type into a typed topic
    t.source('a', topic('a', utf8, json<number>())).to('b', topic('b', utf8, json<string>()));
  },
});

defineTopology({
  name: 'y',
  version: 1,
  config: trusted<null>(),
  build(t) {
    // @ts-expect-error un-narrowed stream into a narrower topic
    t.source('a', packets).to('b', topic('b', utf8, json<Control>()));
  },
});

declare const narrow: Serde<'a'>;
// @ts-expect-error serdes are invariant: this one cannot encode every string
export const wide: Serde<string> = narrow;
declare const narrowTopic: Topic<string, 'a'>;
// @ts-expect-error and so are topics
export const wideTopic: Topic<string, string> = narrowTopic;
