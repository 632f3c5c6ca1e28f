import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { test } from 'node:test';
import { createMemoryLog } from '../../../src/adapters/memory/index.ts';
import { AnswerBoard } from '../../../src/adapters/pull/answer-board.ts';
import { WindowAnswers } from '../../../src/adapters/pull/window-answers.ts';
import { systemClock } from '../../../src/adapters/system-clock.ts';
import type { PullAnswer } from '../../../src/change/pull-signal.ts';
import { VirtualClock } from '../../../src/testing/virtual-clock.ts';

const { signal } = new AbortController();
const place = { pull: 'p', schema: 'shop', table: 't', shard: 4 };
const low = (token: string): PullAnswer => ({ ...place, kind: 'low', token, next: null });
const page = (token: string, whole: boolean): PullAnswer => ({
  ...place,
  kind: 'page',
  token,
  rows: 1,
  done: 0,
  whole,
});

/** The answers of window `own`, after those that are told. */
async function told(
  answers: readonly PullAnswer[],
  run: (own: WindowAnswers, tell: (answer: PullAnswer) => Promise<void>) => Promise<void>,
): Promise<void> {
  const log = createMemoryLog({ clock: systemClock });
  const topic = 'web_pull';
  const shape = { partitions: 1, cleanup: 'delete', retentionMs: null, retentionBytes: null } as const;
  await log.ensureTopics([{ name: topic, ...shape }]);
  await using board = await AnswerBoard.open(log, topic, systemClock);
  await using writer = await log.openWriter('appender');
  const tell = async (answer: PullAnswer): Promise<void> => {
    const value = Buffer.from(JSON.stringify(answer), 'utf8');
    await writer.append([{ topic, partition: 0, key: null, value, timestampMs: 0, headers: {} }]);
  };
  using own = new WindowAnswers(board, { ...place, token: 'own' });
  for (const answer of answers) await tell(answer);
  await run(own, tell);
}

test('a window is taken when another is opened for its shard after it, and not by one before, or of another shard', () =>
  told(
    [
      low('before'),
      low('own'),
      page('before', false),
      { ...low('other'), shard: 5 } as PullAnswer,
      page('own', false),
      low('after'),
    ],
    async own => {
      assert.deepEqual(await own.next(signal), low('own'));
      assert.deepEqual(await own.next(signal), page('own', false));
      assert.deepEqual(await own.next(signal), { kind: 'taken' });
    },
  ));

test('a window that is taken ends with its shard, whoever reads it, or with the pull', async () => {
  const clock = new VirtualClock(0);
  const ends: readonly PullAnswer[] = [
    page('third', true),
    { ...place, kind: 'known', token: 'third' },
    { pull: 'p', schema: 'shop', table: 't', kind: 'aborted', failure: { code: 'UMBUS_X', message: 'No.' } },
  ];
  for (const end of ends) {
    await told([page('after', false), low('third'), end], async own =>
      assert.deepEqual(await own.ended(clock, signal), end),
    );
  }
});

test('a shard of which nothing is heard for half a minute counts as left, and one that goes on does not', () =>
  told([], async (own, tell) => {
    const clock = new VirtualClock(0);
    let ended: PullAnswer | null | undefined;
    const ending = own.ended(clock, signal).then(answer => {
      ended = answer;
    });
    const turn = async (): Promise<void> => {
      for (let i = 0; i < 20; i++) await new Promise(resolve => setImmediate(resolve));
    };
    for (const second of [20, 40, 60]) {
      clock.moveTo(second * 1000);
      await tell(page('after', false));
      await turn();
    }
    clock.moveTo(89_000);
    await turn();
    assert.equal(ended, undefined);
    clock.moveTo(90_000);
    await ending;
    assert.equal(ended, null);
  }));
