import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createMysqlSource } from '../../adapters/mysql/index.ts';
import type { Line } from '../../config/line.ts';
import { loadLine } from '../../config/load-line.ts';
import type { DatabaseServer } from '../demo-server/database-server.ts';
import { lineFileText } from '../init/line-file-text.ts';
import { lineTopologiesNamed, WHOLE_LINE } from '../run/chosen-topologies.ts';
import { SHOP_SCHEMA } from './shop.ts';

/** The quickstart's line file, loaded. */
export interface DemoLine {
  readonly line: Line;
  readonly file: string;
  /** What the topologies tell, as lines. */
  readonly eventFile: string;
}

/** Makes the directory anew, with a line file as `umbus init` writes it, but from the first binlog on. */
export async function writeDemoLine(
  dir: string,
  server: DatabaseServer,
  kafka: readonly string[] | null,
): Promise<DemoLine> {
  await rm(dir, { recursive: true, force: true });
  await mkdir(dir, { recursive: true });
  const file = join(dir, 'shop.yaml');
  const text = lineFileText({
    ds: 'shop',
    host: server.host,
    port: server.port,
    user: server.user,
    tls: false,
    product: `${server.flavor} ${server.version}`,
    serverId: 1_000_000_007,
    passwordVariable: null,
    heartbeat: false,
    kafka,
    schemas: [{ name: SHOP_SCHEMA, tables: 6 }],
  });
  await writeFile(
    file,
    text.replace('start: now', 'start: earliest').replace('dir: .umbus/shop', 'dir: log'),
  );
  return { line: loadLine(file), file, eventFile: join(dir, 'events.log') };
}

/** The named topologies of the line, reading from its server. */
export function demoTopologies(line: Line): ReturnType<typeof lineTopologiesNamed> {
  return lineTopologiesNamed(
    line,
    { source: createMysqlSource(line.source), registered: null, heartbeat: null },
    [WHOLE_LINE],
  );
}
