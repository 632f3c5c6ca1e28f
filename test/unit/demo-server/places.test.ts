import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { ownedDirectory } from '../../../src/cli/demo-server/owned-directory.ts';
import { propertiesText } from '../../../src/cli/demo-server/properties-text.ts';
import { steadyPorts } from '../../../src/cli/demo-server/steady-port.ts';

test('steady ports are free, differ, and are none that an outgoing connection may get', async () => {
  const ports = await steadyPorts(9);
  assert.equal(new Set(ports).size, 9);
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const given = probe.address();
  probe.close();
  assert.ok(given !== null && typeof given === 'object');
  for (const port of ports) {
    assert.ok(port < given.port, `${port} is below ${given.port}, which the system gave`);
    const server = createServer().listen(port, '127.0.0.1');
    await once(server, 'listening');
    server.close();
    await once(server, 'close');
  }
});

test('an owned directory is gone with all that is in it once it is disposed', async () => {
  const directory = await ownedDirectory('umbus-places-');
  await mkdir(join(directory.path, 'data'));
  await writeFile(join(directory.path, 'data', 'file'), 'x');
  await directory[Symbol.asyncDispose]();
  assert.equal(existsSync(directory.path), false);
});

test('settings become lines of a Java properties file', () => {
  assert.equal(propertiesText({ a: '1', path: 'C:\\x', two: 'x\ny' }), 'a=1\npath=C:\\\\x\ntwo=x\\ny\n');
});
