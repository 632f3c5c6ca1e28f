import assert from 'node:assert/strict';
import { test } from 'node:test';
import { capture } from '../../support/captures.ts';
import { ExtractDriver, eventsOf } from '../../support/extract-driver.ts';

const captures = [
  { name: 'mysql-9.7', flavor: 'mysql', file: 'binlog.000001', events: 35 },
  { name: 'mariadb-10.11', flavor: 'mariadb', file: 'bin.000001', events: 34 },
] as const;

test('dumps of real servers come out whole, with their GTID sets', () => {
  for (const { name, flavor, file, events } of captures) {
    const driver = new ExtractDriver().open({
      server: { flavor, version: '', id: 's' },
      from: { file, position: 4, gtid: '' },
    });
    driver.bytes(capture(name), 777).commit();
    const all = driver.runs.flatMap(run => eventsOf(run));
    assert.equal(all.length, events, name);
    assert.deepEqual(
      [...new Set(all.map(each => each.table))].filter(table => table.startsWith('shop')).sort(),
      flavor === 'mysql'
        ? ['shop.', 'shop.ctas', 'shop.pfx', 'shop.types', 'shop.y']
        : ['shop.', 'shop.my', 'shop.pfx', 'shop.types', 'shop.y'],
    );
    const gtid = driver.emitted.at(-1)?.run.resume.gtid;
    const uuid = '470c2388-e54c-11f1-b9a5-02fc00000001';
    assert.equal(gtid, flavor === 'mysql' ? `${uuid}:1-17:sometag:1` : '0-11-17');
  }
});

test('a dump from the middle of a file knows its GTIDs from the next file on', () => {
  const cases = [
    { name: 'mysql-9.7-from-4201', flavor: 'mysql', file: 'binlog.000001', position: 4201 },
    { name: 'mariadb-10.11-from-2283', flavor: 'mariadb', file: 'bin.000001', position: 2283 },
  ] as const;
  for (const { name, flavor, file, position } of cases) {
    const driver = new ExtractDriver().open({
      server: { flavor, version: '', id: 's' },
      from: { file, position, gtid: '' },
    });
    driver.bytes(capture(name)).commit();
    const sets = driver.emitted.map(each => each.run.resume.gtid !== '');
    assert.deepEqual([sets[0], sets[1], sets.at(-1)], [false, false, true], name);
  }
});

test('files without checksums are read from real servers', () => {
  for (const [name, flavor, file] of [
    ['mysql-9.7-no-checksum', 'mysql', 'binlog.000003'],
    ['mariadb-10.11-no-checksum', 'mariadb', 'bin.000010'],
  ] as const) {
    const driver = new ExtractDriver().open({
      server: { flavor, version: '', id: 's' },
      from: { file, position: 4, gtid: '' },
    });
    driver.bytes(capture(name)).commit();
    assert.equal(driver.runs[0]?.checksum, false);
    assert.ok(eventsOf(driver.runs[0] ?? assert.fail()).some(each => each.table === 'shop.y'));
  }
});
