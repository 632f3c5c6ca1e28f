import { readdirSync } from 'node:fs';
import { createMysqlSource } from '../../src/adapters/mysql/index.ts';
import { eventsOfFile } from '../support/servers/binlog-events.ts';
import { type AnyServerKind, allServerKinds, requireServer, type Server } from '../support/servers.ts';
import { until } from '../support/until.ts';
import { type ChangeSourceHarness, changeSourceConformance } from './change-source.ts';

const MAX_BUFFERED_BYTES = 1024 * 1024;
const SOCKET_CHUNK_BYTES = 64 * 1024;

function binlogFiles(server: Server): readonly string[] {
  return readdirSync(server.dataDir)
    .filter(name => /^binlog\.\d+$/.test(name))
    .sort();
}

/** Kills the dumps and waits until they are gone. */
async function cutDumps(server: Server): Promise<void> {
  const dumps = () =>
    server
      .query('SHOW PROCESSLIST')
      .then(rows => rows.filter(row => /^Binlog Dump/.test(String(row['Command']))));
  for (const dump of await dumps()) await server.query(`KILL ${Number(dump['Id'])}`);
  await until('the server to end its dumps', async () => (await dumps()).length === 0);
}

async function openHarness(
  t: { skip(message: string): void },
  kind: AnyServerKind,
): Promise<ChangeSourceHarness | null> {
  // MySQL 5.6 takes no value that is larger than a tenth of its redo log.
  const args = kind === 'mysql56' ? ['--innodb-log-file-size=210M'] : [];
  const server = await requireServer(t, kind, { args });
  if (server === null) return null;
  await server.query('CREATE DATABASE shop');
  await server.query('CREATE TABLE shop.item (id INT PRIMARY KEY AUTO_INCREMENT, note LONGTEXT)');
  return {
    source: createMysqlSource({
      host: server.host,
      port: server.port,
      user: server.user,
      password: server.password,
      serverId: 4_321,
      tls: null,
      heartbeatMs: 1_000,
      maxBufferedBytes: MAX_BUFFERED_BYTES,
    }),
    maxBufferedBytes: MAX_BUFFERED_BYTES + SOCKET_CHUNK_BYTES,
    async change(transactions, bytes) {
      for (let i = 0; i < transactions; i += 1) {
        await server.query("INSERT INTO shop.item (note) VALUES (REPEAT('x', ?))", [bytes]);
      }
    },
    async written(from) {
      return binlogFiles(server)
        .filter(file => file >= from.file)
        .flatMap(file => eventsOfFile(server.dataDir, file, file === from.file ? from.position : 4));
    },
    cut: () => cutDumps(server),
    kill: () => server.kill9(),
    restart: () => server.start(),
    async rotate() {
      await server.query('FLUSH BINARY LOGS');
    },
    async purge() {
      await cutDumps(server);
      const newest = binlogFiles(server).at(-1) ?? '';
      // A server keeps files that it still needs itself, and says nothing.
      await until('the server to purge', async () => {
        await server.query('PURGE BINARY LOGS TO ?', [newest]);
        return binlogFiles(server).length === 1;
      });
    },
    async reset() {
      await cutDumps(server);
      await server.query(kind === 'mysql' ? 'RESET BINARY LOGS AND GTIDS' : 'RESET MASTER');
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

for (const kind of allServerKinds) changeSourceConformance(kind, t => openHarness(t, kind));
