import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { startUmbus } from '../support/cli/umbus.ts';
import { startHttpReceiver } from '../support/http-receiver.ts';
import { startMailReceiver } from '../support/mail-receiver.ts';

const dir = mkdtempSync(join(tmpdir(), 'umbus-alarm-'));
after(() => rmSync(dir, { recursive: true }));

function lineFile(alarms: readonly string[]): string {
  const file = join(dir, 'shop.yaml');
  const head = ['ds: shop', 'source: { url: "mysql://umbus@db" }', 'schemas: { shop: }'];
  writeFileSync(file, [...head, ...alarms].join('\n'));
  return file;
}

describe('umbus alarms test', () => {
  it('sends a test to every receiver and says who has taken it', async () => {
    await using http = await startHttpReceiver(response => response.end());
    await using mail = await startMailReceiver();
    const file = lineFile([
      'alarms:',
      '  webhooks:',
      `    chat: { url: "${http.url}/\${CHAT_TOKEN}", headers: { X-Key: { env: CHAT_KEY } } }`,
      `  mail: { host: 127.0.0.1, port: ${mail.port}, encryption: none, from: umbus@example.com, to: [ops@example.com] }`,
    ]);
    const env = { CHAT_TOKEN: 'chat-token', CHAT_KEY: 'chat-key' };
    await using command = startUmbus(['alarms', '--line', file, 'test'], { env });
    const { code, out, err } = await command.ended;
    assert.equal(code, 0, err);
    assert.match(out, /^chat +taken$/m);
    assert.match(out, /^mail +taken$/m);
    assert.deepEqual(
      http.requests.map(({ path, headers, body }) => [path, headers['x-key'], JSON.parse(body).state]),
      [
        ['/chat-token', 'chat-key', 'raised'],
        ['/chat-token', 'chat-key', 'recovered'],
      ],
    );
    assert.equal(mail.mails.length, 2);
  });

  it('exits with 1 when one has not taken it, and prints no secret', async () => {
    await using http = await startHttpReceiver(response => response.writeHead(404).end());
    const file = lineFile(['alarms:', '  webhooks:', `    chat: { url: "${http.url}/\${CHAT_TOKEN}" }`]);
    await using command = startUmbus(['alarms', '--line', file, '--json', 'test'], {
      env: { CHAT_TOKEN: 'chat-token' },
    });
    const { code, out, err } = await command.ended;
    assert.equal(code, 1);
    const [tried] = JSON.parse(out);
    assert.deepEqual([tried.sink, tried.ok, tried.code], ['chat', false, 'UMBUS_ALARM_REFUSED']);
    assert.ok(!`${out}${err}`.includes('chat-token'));
  });

  it('says so when the line has no receiver', async () => {
    await using command = startUmbus(['alarms', '--line', lineFile([]), 'test']);
    const { code, err } = await command.ended;
    assert.equal(code, 2);
    assert.match(err, /UMBUS_USAGE: The line has no receiver of alarms/);
  });
});
