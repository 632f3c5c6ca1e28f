/** Starts a server of the kind that its argument names, prints its process id and data directory, and waits to be killed. */
import { startMariadb, startMysql } from '../servers.ts';

const server = process.argv[2] === 'mysql' ? await startMysql() : await startMariadb();
console.log(JSON.stringify({ pid: server.pid, dataDir: server.dataDir }));
setInterval(() => {}, 60_000);
