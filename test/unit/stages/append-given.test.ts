import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { replayParked } from '../../../src/stages/append.ts';
import { GIVEN_MAX, type GivenColumns, withGiven } from '../../../src/stages/append-given.ts';
import { AppendDriver } from './append-fixture.ts';
import { columnsOf, rowsIn, unknownRun } from './given-fixture.ts';

const NAME = { schema: 'shop', table: 'orders' };
const first = columnsOf('id INT PRIMARY KEY, x INT, y INT');

function given(since: string, columns = first, epoch = 1): GivenColumns {
  return { epoch, since, columns };
}

describe('columns that were given', () => {
  it('decode rows that come later and still say that they are not known, whatever the reason is then', () => {
    const driver = new AppendDriver().run(unknownRun('bin.000001:4', 4, [1, 10, 11]));
    const { state, columns } = driver.before('shop.orders');
    assert.equal(state.parked?.code, 'UMBUS_BINLOG_COLUMNS');
    const before = { state: { ...state, given: [given('bin.000001:4')] }, columns };
    const runs = driver.parked.map(({ run }) => run);
    const replayed = replayParked({ ds: 'web' }, NAME, before, runs, 3);
    assert.deepEqual([replayed.state.parked, replayed.state.inserts, replayed.parked.length], [null, 1, 0]);
    assert.deepEqual(replayed.state.given, [given('bin.000001:4')]);
    driver.states.set('shop.orders', replayed.state);
    driver.run(unknownRun('bin.000001:4', 1000, [2, 20, 21], 'another reason'));
    assert.deepEqual(rowsIn(driver.messages), [['id,x,y', [2, 20, 21]]]);
    assert.deepEqual(
      driver.messages.filter(each => each.protocol.type === 'data_increment_termination'),
      [],
    );
  });

  it('decode nothing from another place on, and nothing of another epoch', () => {
    const driver = new AppendDriver().run(unknownRun('bin.000001:4', 4, [1, 10, 11]));
    const { state } = driver.before('shop.orders');
    const settled = { ...state, parked: null, given: [given('bin.000001:4')] };
    driver.states.set('shop.orders', settled);
    driver.run(unknownRun('bin.000001:900', 1000, [2, 20, 21]));
    assert.equal(driver.states.get('shop.orders')?.parked?.code, 'UMBUS_BINLOG_COLUMNS');
    driver.states.set('shop.orders', settled);
    driver.run({ ...unknownRun('bin.000001:4', 1200, [3, 30, 31]), epoch: 2 });
    assert.equal(driver.states.get('shop.orders')?.parked?.code, 'UMBUS_BINLOG_COLUMNS');
    assert.deepEqual(rowsIn(driver.messages), []);
  });

  it('park the table again where a later table map does not fit them', () => {
    const driver = new AppendDriver().run(unknownRun('bin.000001:4', 4, [1, 10, 11]));
    const { state } = driver.before('shop.orders');
    driver.states.set('shop.orders', { ...state, parked: null, given: [given('bin.000001:4')] });
    driver.run(unknownRun('bin.000001:4', 1000, [2, 20, 21, 22]));
    assert.match(driver.states.get('shop.orders')?.parked?.message ?? '', /3 columns, and the binlog has 4/);
  });

  it('take the place of what was given for the same rows, and the oldest make room', () => {
    let list: readonly GivenColumns[] = [];
    for (let i = 0; i <= GIVEN_MAX; i++) list = withGiven(list, given(`bin.000001:${i}`));
    assert.deepEqual([list.length, list[0]?.since], [GIVEN_MAX, 'bin.000001:1']);
    const other = columnsOf('id INT PRIMARY KEY, y INT, x INT');
    list = withGiven(list, given('bin.000001:5', other));
    assert.equal(list.length, GIVEN_MAX);
    assert.deepEqual(list.at(-1), given('bin.000001:5', other));
  });
});
