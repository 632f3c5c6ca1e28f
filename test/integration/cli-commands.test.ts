// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the references of the file format.
import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { openEmbeddedLog } from '../../src/adapters/embedded/index.ts';
import { systemClock } from '../../src/adapters/system-clock.ts';
import { encodeRawRun } from '../../src/change/raw-run.ts';
import { startUmbus, umbus } from '../support/cli/umbus.ts';
import { until } from '../support/until.ts';
import { deadHeaders, outgoing, rawRun, umsMessage } from '../unit/cli/line-log.ts';

const dir = mkdtempSync(join(tmpdir(), 'umbus-cli-'));
after(() => rmSync(dir, { recursive: true, force: true }));

const secret = 'geheim-4711';
const shout = join(import.meta.dirname, '../support/cli/shout.ts');

function lineFile(name: string, source = `url: mysql://umbus:${secret}@127.0.0.1:1`): string {
  const file = join(dir, `${name}.yaml`);
  writeFileSync(
    file,
    `ds: ${name}\nsource: { ${source} }\nschemas: { ${name}: {} }\nlog: { embedded: { dir: ${name}-log, maxBytes: 1GB } }\n`,
  );
  return file;
}

async function ownedLog(name: string) {
  return openEmbeddedLog({
    dir: join(dir, `${name}-log`),
    mode: 'owner',
    maxBytes: 1024 ** 3,
    clock: systemClock,
  });
}

const topic = (name: string, partitions = 1, cleanup: 'delete' | 'compact' = 'delete') => ({
  name,
  partitions,
  cleanup,
  retentionMs: null,
  retentionBytes: null,
});

describe('umbus', () => {
  const commands = ['init', 'check', 'run', 'status', 'tail', 'parked', 'describe'];

  it('lists every command, and the exit codes', async () => {
    const { code, out } = await umbus(['--help']);
    assert.equal(code, 0);
    for (const command of commands) assert.match(out, new RegExp(`^ {2}${command} `, 'm'));
    assert.match(out, /Exit codes:\n {2}0 /);
  });

  for (const command of commands) {
    it(`helps with ${command}, with examples`, async () => {
      const { code, out, err } = await umbus(['help', command]);
      assert.deepEqual([code, err], [0, '']);
      assert.match(out, new RegExp(`^Usage: umbus ${command}`));
      assert.match(out, new RegExp(`Examples:\n {2}\\$ .*umbus ${command}`));
    });
  }

  const mistaken: readonly (readonly [string, readonly string[], RegExp])[] = [
    ['an unknown command', ['tial'], /^umbus: UMBUS_USAGE: unknown command 'tial'\n\(Did you mean tail\?\)/],
    [
      'an unknown option',
      ['status', '--line', 'x', '--jsn'],
      /^umbus: UMBUS_USAGE: unknown option '--jsn'\n\(Did you mean --json\?\)/,
    ],
    [
      'a missing option',
      ['status'],
      /^umbus: UMBUS_USAGE: required option '--line <file>' not specified\n {2}See `umbus help status`\./,
    ],
    ['a missing argument', ['tail', '--line', 'x'], /^umbus: UMBUS_USAGE: missing required argument 'topic'/],
    [
      'a bad number',
      ['tail', '--line', 'x', 't', '--limit', 'ten'],
      /^umbus: UMBUS_USAGE: .*Expected a whole number/,
    ],
    [
      'a line topology without a line',
      ['run'],
      /^umbus: UMBUS_USAGE: The topologies of a line need --line FILE/,
    ],
    ['a topology without a log', ['run', shout], /^umbus: UMBUS_USAGE: Say where the log is/],
    [
      'a module that is not there',
      ['describe', './nowhere.ts'],
      /^umbus: UMBUS_USAGE: There is no file \.\/nowhere\.ts/,
    ],
    [
      'a url that is none',
      ['init', '--ds', 'x', '--mysql', `postgres://u:${secret}@h`],
      /^umbus: UMBUS_USAGE: The URL given with --mysql/,
    ],
    [
      'a name that topics cannot hold',
      ['init', '--ds', 'a b', '--mysql', 'mysql://u@h'],
      /^umbus: UMBUS_USAGE: The name given with --ds/,
    ],
  ];
  for (const [name, args, expected] of mistaken) {
    it(`ends with 2 for ${name}`, async () => {
      const { code, out, err } = await umbus(args);
      assert.equal(code, 2);
      assert.match(err, expected);
      assert.equal(out, '');
      assert.ok(!err.includes(secret));
    });
  }

  it('ends with 3 for a line file that is missing, wrong, or lacks its secret', async () => {
    const wrong = lineFile('wrong', 'url: mysql://u@h, prot: 1');
    const secretless = lineFile('secretless', 'url: mysql://u@h, password: { env: NOT_SET }');
    for (const command of [['check'], ['run'], ['status'], ['tail', 't'], ['parked', 'list'], ['describe']]) {
      const missing = await umbus([...command, '--line', join(dir, 'none.yaml')]);
      assert.equal(missing.code, 3, command.join(' '));
      assert.match(missing.err, /^umbus: UMBUS_CONFIG_UNREADABLE: /);
    }
    const { code, err } = await umbus(['check', '--line', wrong]);
    assert.equal(code, 3);
    assert.match(
      err,
      /^umbus: UMBUS_CONFIG_INVALID: .*\n {2}.*wrong\.yaml:2:\d+: source\.prot: this key is not known; did you mean port\?\n/,
    );
    const absent = await umbus(['run', '--line', secretless]);
    assert.equal(absent.code, 3);
    assert.match(absent.err, /^umbus: UMBUS_SECRET_MISSING: /);
  });

  it('writes no styles into a pipe, unless it is made to', async () => {
    const file = lineFile('styles');
    const plain = await umbus(['check', '--line', file], { env: { NO_COLOR: '1' } });
    assert.ok(!plain.out.includes('\u001b'));
    assert.ok(
      (await umbus(['check', '--line', file], { env: { FORCE_COLOR: '1' } })).out.includes('\u001b[31m'),
    );
  });
});

describe('a server that is not there', () => {
  it('is the first item to mend for check, which ends with 1 and tells no secret', async () => {
    const file = lineFile('absent');
    const { code, out, err } = await umbus(['check', '--line', file]);
    assert.equal(code, 1);
    assert.match(out, /must change +connection +UMBUS_SOURCE_UNREACHABLE/);
    assert.match(
      out,
      /warn +line file .*\n {4}Found: .*absent\.yaml:2:\d+: the password stands in the url\n/,
    );
    const json = await umbus(['check', '--line', file, '--json']);
    const parsed = JSON.parse(json.out);
    assert.equal(parsed.ok, false);
    assert.equal(parsed.checks.at(-1).item, 'connection');
    assert.ok(![out, err, json.out, json.err].join('').includes(secret));
  });

  it('ends init with 4', async () => {
    const { code, err } = await umbus(['init', '--mysql', `mysql://u:${secret}@127.0.0.1:1`, '--ds', 'x'], {
      cwd: dir,
    });
    assert.equal(code, 4);
    assert.match(err, /^umbus: UMBUS_SOURCE_UNREACHABLE: /);
    assert.ok(!err.includes(secret));
    assert.ok(!existsSync(join(dir, 'x.yaml')));
  });
});

describe('a line whose log is filled', () => {
  const file = lineFile('shop');
  const changelog = 'umbus.shop.appender-tables-changelog';
  const state = (parked: object | null) =>
    Buffer.from(
      JSON.stringify({ version: 0, inserts: 3, updates: 0, deletes: 0, messages: 1, lastTs: '', parked }),
    );

  async function fill() {
    rmSync(join(dir, 'shop-log'), { recursive: true, force: true });
    const log = await ownedLog('shop');
    await log.ensureTopics([
      topic('shop'),
      topic('shop.shop', 4),
      topic('shop.shop.result', 4),
      topic('shop_dead'),
      topic(changelog, 4, 'compact'),
    ]);
    await using writer = await log.openWriter('test');
    await writer.append([
      outgoing('shop', 0, 'binlog.000003:100', encodeRawRun(rawRun(100, 2))),
      ...Array.from({ length: 2_000 }, (_, id) =>
        outgoing('shop.shop.result', id % 4, 'k', umsMessage('i', { id, note: 'x'.repeat(100) })),
      ),
      outgoing(changelog, 0, 'shop.orders', state(null)),
      outgoing(
        changelog,
        1,
        'shop.bad',
        state({ since: 's', code: 'UMBUS_BINLOG_TYPE', message: 'm', events: 1 }),
      ),
      outgoing('shop_dead', 0, 'shop.bad', encodeRawRun(rawRun(100, 1)), deadHeaders('UMBUS_BINLOG_TYPE')),
    ]);
    return log;
  }

  it('is read beside its owner by status, tail and parked', async () => {
    await using _log = await fill();
    const status = await umbus(['status', '--line', file]);
    assert.equal(status.code, 1, 'a table is parked');
    assert.match(status.out, /extractor +binlog\.000003:138/);
    assert.match(status.out, /source +not reachable: UMBUS_SOURCE_UNREACHABLE/);
    const json = JSON.parse((await umbus(['status', '--line', file, '--json'])).out);
    assert.equal(json.extractor.position, 138);
    assert.deepEqual([json.dead.waiting, json.attention], [1, true]);

    const tail = await umbus([
      'tail',
      '--line',
      file,
      'shop.shop.result',
      '--from',
      'beginning',
      '--limit',
      '2',
      '--json',
    ]);
    assert.equal(tail.code, 0);
    assert.deepEqual(
      tail.out
        .trimEnd()
        .split('\n')
        .map(text => JSON.parse(text).payload[0].tuple[4]),
      ['0', '4'],
    );

    const list = await umbus(['parked', '--line', file]);
    assert.equal(list.code, 0);
    assert.match(list.out, /\n0 +shop\.bad +parked +UMBUS_BINLOG_TYPE/);
    const show = JSON.parse((await umbus(['parked', 'show', '0', '--line', file, '--json'])).out);
    assert.deepEqual([show.key, show.run.file, show.waiting], ['shop.bad', 'binlog.000003', true]);
    assert.equal((await umbus(['parked', 'show', '9', '--line', file])).code, 2);
    const all = [status, tail, list].map(({ out, err }) => out + err).join('');
    assert.ok(!all.includes(secret));
  });

  it('is followed live until the reader stops, and a closed pipe ends tail quietly', async () => {
    await using log = await fill();
    await using following = startUmbus([
      'tail',
      '--line',
      file,
      'shop.shop.result',
      '--from',
      'end',
      '--follow',
    ]);
    await using writer = await log.openWriter('later');
    let id = 0;
    // Written again until it is seen: when the command begins to read cannot be known from outside.
    await until('a followed row', async () => {
      await writer.append([
        outgoing('shop.shop.result', 3, 'k', umsMessage('u', { id: id++, note: 'late' })),
      ]);
      return following.out.includes('note="late"');
    });
    following.kill('SIGINT');
    assert.equal((await following.ended).code, 0);

    await using piped = startUmbus(['tail', '--line', file, 'shop.shop.result', '--from', 'beginning']);
    piped.process.stdout?.once('data', () => piped.process.stdout?.destroy());
    const { code, err } = await piped.ended;
    assert.deepEqual([code, err], [0, '']);
  });

  it('refuses a second owner with 5 and the process that owns it', async () => {
    await using _log = await fill();
    const { code, err } = await umbus([
      'run',
      shout,
      '--line',
      file,
      '--config',
      'from=shop',
      '--config',
      'to=x',
    ]);
    assert.equal(code, 5);
    assert.match(err, new RegExp(`UMBUS_LOG_LOCKED: .*${process.pid}`));
    const json = await umbus([
      'run',
      shout,
      '--line',
      file,
      '--config',
      'from=shop',
      '--config',
      'to=x',
      '--log',
      'json',
    ]);
    assert.equal(json.code, 5);
    const last = JSON.parse(json.err.trimEnd().split('\n').at(-1) ?? '');
    assert.deepEqual([last.level, last.code], ['error', 'UMBUS_LOG_LOCKED']);
  });

  it('that has not run says so', async () => {
    const { code, err } = await umbus(['status', '--line', lineFile('fresh')]);
    assert.equal(code, 1);
    assert.match(err, /There is no log in .*fresh-log yet/);
  });
});

describe("topologies of the user's own", () => {
  it('are described as text, JSON and Mermaid', async () => {
    const config = ['--config', 'from=in', '--config', 'to=out'];
    const text = await umbus(['describe', shout, ...config]);
    assert.equal(text.code, 0);
    assert.match(text.out, /topology shout v1/);
    assert.match(text.out, /topology whisper v1/);
    const json = JSON.parse((await umbus(['describe', shout, ...config, '--json'])).out);
    assert.deepEqual(
      json.map((each: { name: string }) => each.name),
      ['whisper', 'shout'],
    );
    assert.match((await umbus(['describe', shout, ...config, '--mermaid'])).out, /flowchart/);
    const wrong = await umbus(['describe', shout, '--config', 'from=in']);
    assert.equal(wrong.code, 3);
    assert.match(wrong.err, /UMBUS_CONFIG_INVALID: The config of 'whisper' is not valid: to: /);
  });

  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    it(`run on a log of their own, go on where they stopped, and end with 0 on ${signal}`, async () => {
      const logDir = join(dir, `words-${signal}`);
      const open = (mode: 'owner' | 'reader') =>
        openEmbeddedLog({ dir: logDir, mode, maxBytes: 1024 ** 3, clock: systemClock });
      const write = async (word: string) => {
        await using log = await open('owner');
        await log.ensureTopics([topic('in')]);
        await using writer = await log.openWriter('words');
        await writer.append([outgoing('in', 0, 'k', Buffer.from(word))]);
      };
      const config = join(dir, 'words.yaml');
      writeFileSync(config, 'from: in\nto: ${TARGET}\n');
      const words = async (): Promise<readonly string[]> => {
        await using log = await open('reader');
        if (!(await log.topics()).some(each => each.name === 'out')) return [];
        return (await log.tail({ topic: 'out', partition: 0 }, 10)).map(record =>
          Buffer.from(record.value ?? []).toString(),
        );
      };
      for (const [index, word] of ['one', 'two'].entries()) {
        await write(word);
        await using running = startUmbus(
          ['run', shout, '--log-dir', logDir, '--config', config, '--config', 'sign=?'],
          { env: { TARGET: 'out' } },
        );
        await until('the word in the output', async () => (await words()).length === index + 1);
        running.kill(signal);
        const { code, out, err } = await running.ended;
        assert.deepEqual([code, out], [0, '']);
        assert.match(err, /^\S+Z info {2}Topology starts\. topology=shout group=umbus\.local\.shout$/m);
        assert.match(
          err,
          /info {2}Topology has stopped; everything it read is committed\. topology=shout records=1 /,
        );
      }
      assert.deepEqual(await words(), ['ONE?', 'TWO?']);
      assert.ok(readFileSync(config, 'utf8').includes('TARGET'));
    });
  }
});
