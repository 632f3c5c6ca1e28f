import type { Server } from './servers.ts';

/** Lets a server copy another of its flavor from the beginning of its binlog on, by GTIDs. */
export async function replicate(replica: Server, from: Server): Promise<void> {
  const mariadb = replica.flavor === 'mariadb';
  await replica.query(
    mariadb
      ? `CHANGE MASTER TO master_host = '127.0.0.1', master_port = ${from.port}, master_user = 'root', master_use_gtid = slave_pos`
      : `CHANGE REPLICATION SOURCE TO source_host = '127.0.0.1', source_port = ${from.port}, source_user = 'root', source_auto_position = 1, get_source_public_key = 1`,
  );
  await replica.query(mariadb ? 'START SLAVE' : 'START REPLICA');
}
