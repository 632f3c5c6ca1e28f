import { join } from 'node:path';
import type { DatabaseServer } from '../../../src/cli/demo-server/database-server.ts';
import { startMariadb } from '../../../src/cli/demo-server/mariadb.ts';
import { steadyPorts } from '../../../src/cli/demo-server/steady-port.ts';
import { unpackedPackage } from './debian-package.ts';

/** Starts a throw-away MariaDB that is a Galera cluster of one node. */
export async function startGaleraNode(): Promise<DatabaseServer> {
  const library = join(await unpackedPackage('galera-4', 'usr/lib'), 'libgalera_smm.so');
  const [group = 0, state = 0] = await steadyPorts(2);
  const provider = [
    `gmcast.listen_addr=tcp://127.0.0.1:${group}`,
    `ist.recv_addr=127.0.0.1:${state}`,
    'gcache.size=8M',
  ];
  return await startMariadb({
    args: [
      '--wsrep-on=ON',
      `--wsrep-provider=${library}`,
      '--wsrep-new-cluster',
      '--wsrep-cluster-address=gcomm://',
      '--wsrep-node-address=127.0.0.1',
      `--wsrep-provider-options=${provider.join(';')}`,
      '--innodb-autoinc-lock-mode=2',
      '--log-slave-updates=ON',
    ],
  });
}
