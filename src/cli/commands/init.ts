import { existsSync, writeFileSync } from 'node:fs';
import { Command } from 'commander';
import type { SignalSetup } from '../../adapters/mysql/index.ts';
import { parseMysqlUrl } from '../../config/mysql-url.ts';
import { maskerOf } from '../../config/redaction.ts';
import { messageOf, UmbusError } from '../../core/errors.ts';
import { lineFileText, passwordVariableOf, type ServerFindings } from '../init/line-file-text.ts';
import type { Terminal } from '../terminal.ts';

interface Options {
  readonly mysql: string;
  readonly ds: string;
  readonly out?: string;
  readonly force?: boolean;
  readonly tls?: boolean;
  readonly kafka?: string;
  readonly heartbeat?: boolean;
}

/** Default of `signals.schema`. */
const SIGNAL_SCHEMA = 'dbus';

/** `umbus init`: writes a data line file for a server. */
export function initCommand(terminal: Terminal): Command {
  return new Command('init')
    .summary('write a data line file for a server')
    .description(
      'Asks a server which schemas it has and writes a commented data line file for them, with a replica server id that nobody uses. The password is not written: the file names an environment variable for it.',
    )
    .requiredOption('--mysql <url>', 'mysql://user@host:port; a password in it is used but not written')
    .requiredOption('--ds <name>', 'name of the data source; topics begin with it')
    .option('--out <file>', 'where to write; - for standard output (default: <ds>.yaml)')
    .option('--force', 'replace the file if it is there')
    .option('--tls', 'connect with TLS')
    .option(
      '--heartbeat',
      'let the line beat: makes its tables in the server where the account may, else prints how',
    )
    .option('--kafka <host:port,...>', 'put the log on these Kafka brokers instead of into a directory')
    .addHelpText(
      'after',
      `
Without a password in the URL, UMBUS_<DS>_PASSWORD is used if it is set.

Examples:
  $ UMBUS_SHOP_PASSWORD=... umbus init --mysql mysql://umbus@db.example.org:3306 --ds shop
  $ umbus init --mysql mysql://root@127.0.0.1 --ds shop --out lines/shop.yaml --force`,
    )
    .action(async (options: Options) => {
      const { ds } = options;
      if (!/^[A-Za-z0-9_-]{1,64}$/.test(ds)) {
        throw new UmbusError(
          'UMBUS_USAGE',
          'The name given with --ds must be up to 64 letters, digits, _ and -.',
        );
      }
      const out = options.out ?? `${ds}.yaml`;
      // Looked at before the server is asked; writing looks again.
      if (out !== '-' && options.force !== true && existsSync(out)) throw existsAlready(out);
      const findings = await findingsOf(options, terminal);
      const setup = options.heartbeat === true ? await signalsOf(options, terminal) : null;
      const text = lineFileText(findings);
      if (out === '-') await terminal.write(text);
      else writeLine(out, text, options.force === true);
      terminal.tell(nextSteps(findings, out));
      if (setup !== null) terminal.tell(setupText(setup));
    });
}

/** How to get into the server. Errors: UMBUS_USAGE. */
function loginOf({ mysql, ds, tls = false }: Options, terminal: Terminal) {
  const address = parseMysqlUrl(mysql);
  if ('problem' in address)
    throw new UmbusError('UMBUS_USAGE', `The URL given with --mysql is not valid: ${address.problem}.`);
  const { host, port, user } = address;
  if (user === null)
    throw new UmbusError('UMBUS_USAGE', 'The URL given with --mysql names no user: mysql://user@host:port.');
  const password = address.password ?? terminal.environment[passwordVariableOf(ds)] ?? '';
  terminal.protect(maskerOf([password]));
  const trusted = tls ? { ca: null, cert: null, key: null, verify: true } : null;
  return { host, port: port ?? 3306, user, password, tls: trusted };
}

async function signalsOf(options: Options, terminal: Terminal): Promise<SignalSetup> {
  const { setUpSignals } = await import('../../adapters/mysql/index.ts');
  return await setUpSignals(loginOf(options, terminal), SIGNAL_SCHEMA, terminal.stopping);
}

function setupText({ made, reason, statements }: SignalSetup): string {
  if (made) return `The tables for heartbeats are in schema ${SIGNAL_SCHEMA}.`;
  const lines = statements.map(statement => `${statement};`).join('\n');
  return `The tables for heartbeats could not be made: ${reason}\nLet somebody run:\n${lines}`;
}

async function findingsOf(options: Options, terminal: Terminal): Promise<ServerFindings> {
  const { ds, kafka, tls = false } = options;
  const login = loginOf(options, terminal);
  const { host, port, user, password } = login;
  const { inspect } = await import('../../adapters/mysql/index.ts');
  const { server, schemas, suggestedServerId } = await inspect(login, terminal.stopping);
  return {
    ds,
    host,
    port,
    user,
    tls,
    product: `${server.flavor} ${server.version}`,
    serverId: suggestedServerId,
    passwordVariable: password === '' ? null : passwordVariableOf(ds),
    kafka: kafka === undefined ? null : kafka.split(',').map(each => each.trim()),
    schemas: schemas.filter(({ name }) => name !== SIGNAL_SCHEMA),
    heartbeat: options.heartbeat === true,
  };
}

function writeLine(file: string, text: string, replace: boolean): void {
  try {
    writeFileSync(file, text, { flag: replace ? 'w' : 'wx' });
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'EEXIST') throw existsAlready(file);
    throw new UmbusError(
      'UMBUS_CONFIG_UNREADABLE',
      `The file ${file} cannot be written: ${messageOf(cause)}.`,
      { cause },
    );
  }
}

function existsAlready(file: string): UmbusError {
  return new UmbusError(
    'UMBUS_USAGE',
    `The file ${file} is there already; --force replaces it, --out names another.`,
  );
}

function nextSteps({ product, schemas, passwordVariable }: ServerFindings, out: string): string {
  const count = schemas.length === 1 ? '1 schema' : `${schemas.length} schemas`;
  const file = out === '-' ? 'FILE' : out;
  const steps = [`umbus check --line ${file}`, `umbus run --line ${file}`];
  if (passwordVariable !== null)
    steps.unshift(`export ${passwordVariable}=...   # the password of the account`);
  const written = out === '-' ? `Found ${count} on ${product}.` : `Wrote ${out}: ${count} on ${product}.`;
  return `${written}\nNext:\n${steps.map(step => `  ${step}`).join('\n')}`;
}
