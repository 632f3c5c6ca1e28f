import assert from 'node:assert/strict';
import { it } from 'node:test';
import { isUmbusError } from '../../src/core/errors.ts';
import type { Coordination } from '../../src/ports/coordination.ts';
import { until } from '../support/until.ts';
import { bytes, type OpenCoordination, text, Watching } from './coordination-fixture.ts';

const refused = (error: unknown): boolean => isUmbusError(error, 'UMBUS_COORDINATION_REFUSED');

/** Versioned cells, watches and progress. */
export function describeCells(open: OpenCoordination): void {
  it('gives what was put, with versions that grow, also over a removal', async () => {
    await using world = await open();
    await using one = await world.open();
    await using other = await world.open();
    assert.equal(await one.get('config/a'), null);
    const first = await one.put('config/a', bytes('1'));
    assert.ok(first >= 1n);
    assert.deepEqual(plain(await other.get('config/a')), { path: 'config/a', value: '1', version: first });
    const second = await other.put('config/a', bytes('2'));
    assert.ok(second > first);
    await one.remove('config/a');
    assert.equal(await other.get('config/a'), null);
    await one.remove('config/a');
    const third = await one.put('config/a', bytes('3'));
    assert.ok(third > second);
    assert.equal(text((await other.get('config/a'))?.value), '3');
  });

  it('changes a cell only at the version that is asked for', async () => {
    await using world = await open();
    await using one = await world.open();
    await using other = await world.open();
    const version = await one.put('cell', bytes('new'), { ifVersion: 0n });
    await assert.rejects(
      other.put('cell', bytes('also new'), { ifVersion: 0n }),
      error => isUmbusError(error, 'UMBUS_COORDINATION_CONFLICT') && error.details['version'] === version,
    );
    const next = await other.put('cell', bytes('next'), { ifVersion: version });
    await assert.rejects(one.remove('cell', { ifVersion: version }), error =>
      isUmbusError(error, 'UMBUS_COORDINATION_CONFLICT'),
    );
    assert.equal(text((await one.get('cell'))?.value), 'next');
    await one.remove('cell', { ifVersion: next });
    await one.remove('cell', { ifVersion: next });
    await assert.rejects(
      one.put('cell', bytes('late'), { ifVersion: next }),
      error => isUmbusError(error, 'UMBUS_COORDINATION_CONFLICT') && error.details['version'] === 0n,
    );
    assert.ok((await one.put('cell', bytes('again'), { ifVersion: 0n })) > next);
  });

  it('loses no change of many that compare and set one cell', async () => {
    await using world = await open();
    const processes = await Promise.all(Array.from({ length: 4 }, () => world.open()));
    await Promise.all(
      processes.map(async process => {
        for (let turn = 0; turn < 8; turn += 1) await increment(process);
      }),
    );
    assert.equal(text((await processes[0]?.get('count'))?.value), '32');
    await Promise.all(processes.map(process => process[Symbol.asyncDispose]()));
  });

  it('lists what is at or below a prefix, by path', async () => {
    await using world = await open();
    await using one = await world.open();
    for (const path of ['b', 'a/z', 'a', 'a/b/c', 'ab', 'a-b/c', 'Ä/ß']) await one.put(path, bytes(path));
    const listed = async (prefix: string) => (await one.list(prefix)).map(({ path }) => path);
    assert.deepEqual(await listed('a'), ['a', 'a/b/c', 'a/z']);
    assert.deepEqual(await listed('a/b'), ['a/b/c']);
    assert.deepEqual(await listed('nothing'), []);
    assert.deepEqual(await listed(''), ['a', 'a-b/c', 'a/b/c', 'a/z', 'ab', 'b', 'Ä/ß']);
    await one.remove('a');
    assert.deepEqual(await listed('a'), ['a/b/c', 'a/z']);
    assert.equal(await one.get('a/b'), null);
  });

  it('keeps any bytes up to 512 KB, and refuses more, and what is no path', async () => {
    await using world = await open();
    await using one = await world.open();
    const every = Uint8Array.from({ length: 256 }, (_, index) => index);
    const largest = new Uint8Array(512 * 1024).fill(7);
    await one.put('every', every);
    await one.put('largest', largest);
    await one.put('empty', new Uint8Array(0));
    assert.deepEqual(Uint8Array.from((await one.get('every'))?.value ?? []), every);
    assert.deepEqual(Uint8Array.from((await one.get('largest'))?.value ?? []), largest);
    assert.equal((await one.get('empty'))?.value.length, 0);
    await assert.rejects(one.put('larger', new Uint8Array(512 * 1024 + 1)), refused);
    for (const path of ['', '/a', 'a/', 'a//b', 'a/../b', '.', 'a\u0000b', 'x'.repeat(1_001)]) {
      await assert.rejects(one.put(path, every), refused, path);
    }
  });

  it('watches: first what is there, then every change to the last, and removals', async () => {
    await using world = await open();
    await using one = await world.open();
    await using other = await world.open();
    await one.put('w/a', bytes('1'));
    await one.put('w/b', bytes('1'));
    await one.put('else', bytes('1'));
    await using watching = new Watching(other, 'w');
    await until('the first look', () => watching.told.length === 2);
    assert.deepEqual(watching.lines, ['w/a=1', 'w/b=1']);
    await one.put('w/a', bytes('2'));
    await until('a change', () => watching.lines.at(-1) === 'w/a=2');
    await one.remove('w/b');
    await until('a removal', () => watching.lines.at(-1) === 'w/b=-');
    await one.put('w/c/d', bytes('deep'));
    await until('a new one', () => watching.lines.at(-1) === 'w/c/d=deep');
    await one.put('w/b', bytes('back'));
    await until('one that comes back', () => watching.lines.at(-1) === 'w/b=back');
    assertGrowing(watching);
  });

  it('never leaves out the last value, however fast they come and however slow the reader is', async () => {
    await using world = await open();
    await using one = await world.open();
    await using other = await world.open();
    await using slow = new Watching(other, 'fast', 3);
    await using quick = new Watching(other, 'fast');
    for (let turn = 0; turn < 40; turn += 1) {
      await Promise.all(
        [0, 1, 2].map(async cell => {
          if (turn % 10 === 9) await one.remove(`fast/${cell}`);
          else await one.put(`fast/${cell}`, bytes(`${turn}`));
        }),
      );
    }
    await Promise.all([0, 1, 2].map(cell => one.put(`fast/${cell}`, bytes('last'))));
    for (const watching of [slow, quick]) {
      for (const cell of [0, 1, 2]) {
        await until('the last value', () => watching.lines.includes(`fast/${cell}=last`));
      }
      assertGrowing(watching);
    }
  });

  it('goes on watching over a connection that is cut', async t => {
    await using world = await open();
    if (world.disrupt === undefined) return t.diagnostic('There is no connection to cut.');
    await using one = await world.open();
    await using other = await world.open();
    await one.put('w', bytes('0'));
    await using watching = new Watching(other, 'w');
    await until('the first look', () => watching.told.length === 1);
    for (let turn = 1; turn <= 3; turn += 1) {
      await world.disrupt();
      await one.put('w', bytes(`${turn}`));
      await until(`change ${turn}`, () => watching.lines.at(-1) === `w=${turn}`);
    }
    assertGrowing(watching);
  });

  it('ends a watch with its signal and with the close', async () => {
    await using world = await open();
    const one = await world.open();
    const first = new Watching(one, 'w');
    await first[Symbol.asyncDispose]();
    const second = new Watching(one, 'w');
    await one[Symbol.asyncDispose]();
    await second.ended;
  });

  it('writes progress seldom and the last value surely', async () => {
    await using world = await open();
    await using one = await world.open();
    await using other = await world.open();
    await using watching = new Watching(other, 'jobs');
    for (let turn = 0; turn <= 500; turn += 1) one.progress('jobs/1', bytes(`${turn}`));
    await until('the last value', () => watching.lines.at(-1) === 'jobs/1=500');
    assert.ok(watching.told.length <= 2, `${watching.told.length} were written`);
    one.progress('jobs/1', bytes('done'));
    await until('the value at the end', async () => text((await other.get('jobs/1'))?.value) === 'done');
    assert.throws(() => one.progress('jobs//1', bytes('')), refused);
  });

  it('writes the last progress when it is closed, and refuses everything after', async () => {
    await using world = await open();
    const one = await world.open();
    await using other = await world.open();
    one.progress('jobs/1', bytes('begun'));
    one.progress('jobs/1', bytes('ended'));
    await one[Symbol.asyncDispose]();
    assert.equal(text((await other.get('jobs/1'))?.value), 'ended');
    const closed = (error: unknown) => isUmbusError(error, 'UMBUS_COORDINATION_CLOSED');
    await assert.rejects(one.get('a'), closed);
    await assert.rejects(one.list('a'), closed);
    await assert.rejects(one.put('a', bytes('')), closed);
    await assert.rejects(one.remove('a'), closed);
    await assert.rejects(one.members(), closed);
    await assert.rejects(one.leases(), closed);
    await assert.rejects(one.announce({ id: 'a', info: {} }), closed);
    assert.throws(() => one.watch('a', new AbortController().signal), closed);
    one.progress('jobs/1', bytes('late'));
    assert.equal(text((await other.get('jobs/1'))?.value), 'ended');
  });
}

async function increment(process: Coordination): Promise<void> {
  for (;;) {
    const cell = await process.get('count');
    const value = bytes(String(Number(text(cell?.value) ?? 0) + 1));
    try {
      await process.put('count', value, { ifVersion: cell?.version ?? 0n });
      return;
    } catch (error) {
      if (!isUmbusError(error, 'UMBUS_COORDINATION_CONFLICT')) throw error;
    }
  }
}

function plain(cell: Awaited<ReturnType<Coordination['get']>>) {
  return cell === null ? null : { ...cell, value: text(cell.value) };
}

function assertGrowing({ told }: Watching): void {
  const last = new Map<string, bigint>();
  for (const { path, version } of told) {
    assert.ok(version > (last.get(path) ?? 0n), `${path} went to version ${version}`);
    last.set(path, version);
  }
}
