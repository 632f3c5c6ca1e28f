import assert from 'node:assert/strict';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { posix } from 'node:path';
import test from 'node:test';
import { readUms } from '../../../src/consumer/index.ts';
import { errorTable } from '../../../src/core/errors.ts';
import { anchorsOf, blocksOf, linksOf, readDocument } from './markdown.ts';

const root = new URL('../../../', import.meta.url);
const documents = ['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md', 'CHANGELOG.md', 'ums-schema/README.md'];

test('the error table in README is that of the code', () => {
  const begin = '<!-- error-codes:begin -->';
  const end = '<!-- error-codes:end -->';
  const rows = Object.entries(errorTable).map(
    ([code, { text, remedy, retryable }]) =>
      `| \`${code}\` | ${text} | ${remedy.replaceAll('|', '\\|')} | ${retryable ? 'yes' : 'no'} |`,
  );
  const table = ['| code | what happened | what to do | tried again |', '|---|---|---|---|', ...rows].join(
    '\n',
  );
  const readme = readDocument('README.md');
  const from = readme.indexOf(begin) + begin.length;
  const to = readme.indexOf(end);
  assert.ok(from >= begin.length && to > from, 'README has the markers of the error table');
  if (process.env['UMBUS_UPDATE_DOCS'] === '1') {
    writeFileSync(new URL('README.md', root), `${readme.slice(0, from)}\n${table}\n${readme.slice(to)}`);
    return;
  }
  const how = 'write it anew: UMBUS_UPDATE_DOCS=1 node --test test/unit/docs/documents.test.ts';
  assert.equal(readme.slice(from, to).trim(), table, how);
});

for (const document of documents) {
  test(`the links of ${document} lead somewhere`, () => {
    const text = readDocument(document);
    const links = linksOf(text).filter(link => !link.startsWith('http'));
    const broken = links.filter(link => {
      const [path = '', anchor] = link.split('#');
      const target = path === '' ? document : posix.join(posix.dirname(document), path);
      if (!existsSync(new URL(target, root))) return true;
      return anchor !== undefined && !anchorsOf(readDocument(target)).includes(anchor);
    });
    assert.deepEqual(broken, []);
  });
}

test('the message in README is UMS', () => {
  const messages = blocksOf(readDocument('README.md'), 'json');
  assert.equal(messages.length, 1);
  for (const message of messages) assert.equal(readUms(Buffer.from(message)).payload.length, 2);
});

test('the code map of ARCHITECTURE names every folder of src that is there, and files that are there', () => {
  const text = readDocument('ARCHITECTURE.md');
  const map = text.slice(text.indexOf('## Code map'), text.indexOf('## What is absent'));
  const named = [...map.matchAll(/^\| `([a-z]+)` \|.*\| (.*) \|$/gm)];
  const folders = readdirSync(new URL('src/', root), { withFileTypes: true })
    .filter(entry => entry.isDirectory())
    .map(entry => entry.name);
  assert.deepEqual(named.map(([, folder]) => folder).sort(), folders.sort());
  const missing = named.flatMap(([, folder, begin = '']) =>
    [...begin.matchAll(/`([^`]+)`/g)]
      .map(([, file]) => `src/${folder}/${file}`)
      .filter(path => !existsSync(new URL(path, root))),
  );
  assert.deepEqual(missing, []);
});
