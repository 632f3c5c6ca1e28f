import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { createCommand } from '../../../src/adapters/alarms/index.ts';
import { type ErrorCode, isUmbusError } from '../../../src/core/errors.ts';
import type { Alarm } from '../../../src/ports/alarm.ts';

const dir = mkdtempSync(join(tmpdir(), 'umbus-command-'));
after(() => rmSync(dir, { recursive: true, force: true }));

const alarm: Alarm = {
  id: 'shop:source',
  line: 'shop',
  severity: 'critical',
  state: 'raised',
  title: 'The source; $(touch injected)',
  text: 'Look.',
  atMs: 0,
  details: {},
};

function command(script: string, timeoutMs = 10_000) {
  return createCommand({ name: 'pager', run: [process.execPath, '-e', script], timeoutMs });
}

async function codeOf(script: string, timeoutMs?: number): Promise<ErrorCode | null> {
  try {
    await command(script, timeoutMs).send(alarm, new AbortController().signal);
    return null;
  } catch (error) {
    return isUmbusError(error) ? error.code : 'UMBUS_INTERNAL';
  }
}

describe('a command that takes alarms', () => {
  it('gets the document on its input, nothing among its arguments, and no secret of the environment', async () => {
    const out = join(dir, 'out.json');
    process.env['UMBUS_TEST_SECRET'] = 'geheim';
    const script = `const text = require('fs').readFileSync(0, 'utf8');
      require('fs').writeFileSync(${JSON.stringify(out)}, JSON.stringify([JSON.parse(text), process.argv.slice(1), Object.keys(process.env)]))`;
    assert.equal(await codeOf(script), null);
    delete process.env['UMBUS_TEST_SECRET'];
    const [document, args, environment] = JSON.parse(readFileSync(out, 'utf8'));
    assert.deepEqual(
      [document.id, document.title, document.at],
      [alarm.id, alarm.title, '1970-01-01T00:00:00.000Z'],
    );
    assert.deepEqual(args, []);
    assert.ok(environment.includes('PATH') && !environment.includes('UMBUS_TEST_SECRET'));
  });

  it('takes with 0, asks to come again with 75 or when it hangs, and refuses otherwise', async () => {
    assert.equal(await codeOf('process.exit(0)'), null);
    assert.equal(await codeOf('process.exit(75)'), 'UMBUS_ALARM_UNREACHABLE');
    assert.equal(await codeOf('process.exit(1)'), 'UMBUS_ALARM_REFUSED');
    assert.equal(await codeOf('setInterval(() => {}, 1000)', 300), 'UMBUS_ALARM_UNREACHABLE');
    const none = createCommand({ name: 'none', run: [join(dir, 'none')], timeoutMs: 1_000 });
    await assert.rejects(none.send(alarm, new AbortController().signal), /cannot be run: ENOENT/);
  });
});
