/**
 * The golden cases: SQL, and the rows that must come out of the binlog for it, field types and all. A case is a text file in test/golden; its form is explained in
 * test/golden/README.md. A new case needs no code. `UMBUS_GOLDEN=write` writes what came out into the cases, to be read before it is kept.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { parseCase, writeExpected } from '../support/golden-case.ts';
import { runGolden } from '../support/golden-run.ts';
import { allServerKinds, requireServer } from '../support/servers.ts';

const folder = new URL('../golden/', import.meta.url);
const files = readdirSync(folder)
  .filter(name => name.endsWith('.case'))
  .sort();
const write = process.env['UMBUS_GOLDEN'] === 'write';
/** A part of the names of the cases that are run; all of them where it is not set. */
const only = process.env['UMBUS_GOLDEN_CASE'] ?? '';

for (const kind of allServerKinds) {
  test(`every golden case comes out of ${kind} as it is written`, async t => {
    await using server = await requireServer(t, kind, { args: ['--secure-file-priv='] });
    if (server === null) return;
    for (const file of files.filter(name => name.includes(only))) {
      const golden = parseCase(file, readFileSync(new URL(file, folder), 'utf8'));
      if (!golden.servers.includes(kind)) continue;
      await t.test(golden.name, async () => {
        const { lines, repeats, differences } = await runGolden(server, golden);
        if (write) writeFileSync(new URL(file, folder), writeExpected(golden, kind, lines));
        else assert.deepEqual(lines, golden.expected[kind]);
        if (golden.differs.includes(kind)) assert.notDeepEqual(differences, [], 'nothing differs');
        else assert.deepEqual(differences, []);
        assert.ok(!repeats, 'ums_uid_ repeats');
      });
    }
  });
}
