import { expireSeconds } from './binlog-files.ts';
import type { Check } from './check.ts';
import type { ServerFacts } from './server-facts.ts';

const HOUR_S = 3_600;
const WANTED_HOURS = 72;

interface Setting {
  readonly name: string;
  /** Values that are right; the first is the one to set. */
  readonly right: readonly string[];
  /** What a wrong value means. */
  readonly wrong: false | 'warn';
  /** What a server without the variable means. */
  readonly missing: boolean | 'warn';
  readonly why: string;
}

const SETTINGS: readonly Setting[] = [
  {
    name: 'binlog_format',
    right: ['ROW'],
    wrong: false,
    missing: true,
    why: 'Only row events hold the changed values.',
  },
  {
    name: 'binlog_row_image',
    right: ['FULL'],
    wrong: 'warn',
    missing: true,
    why: 'Other images leave columns out: messages then show them as absent, and tables without a primary key are parked.',
  },
  {
    name: 'binlog_row_metadata',
    right: ['FULL'],
    wrong: 'warn',
    missing: 'warn',
    why: 'Names, signs, character sets and labels of columns then come with each event, whatever DDL came between. Without it the line follows DDL and asks the server, and parks a table whose columns cannot be told for certain. Needs MySQL 8.0.1 or MariaDB 10.5.',
  },
  {
    name: 'binlog_row_value_options',
    right: [''],
    wrong: 'warn',
    missing: true,
    why: 'Documents are rebuilt from what is logged of them, which needs binlog_row_image = FULL.',
  },
  {
    name: 'binlog_order_commits',
    right: ['ON'],
    wrong: 'warn',
    missing: true,
    why: 'Full pulls read what stands in the binlog before their watermarks; where commits come in another order it may not be there yet, and they are refused.',
  },
  {
    name: 'binlog_checksum',
    right: ['CRC32'],
    wrong: 'warn',
    missing: 'warn',
    why: 'With checksums a damaged event is noticed before it is decoded.',
  },
];

function setStatement(facts: ServerFacts, name: string, value: string): string {
  // PERSIST survives a restart; MariaDB has it in its configuration file only.
  const scope = facts.identity.flavor === 'mysql' ? 'PERSIST' : 'GLOBAL';
  return `SET ${scope} ${name} = ${/^\d+$/.test(value) ? value : `'${value}'`}`;
}

function checkSetting(facts: ServerFacts, setting: Setting): Check {
  const { name, right, why } = setting;
  const wanted = right[0] === '' ? "''" : (right[0] ?? '');
  const found = facts.variables.get(name);
  if (found === undefined) {
    return {
      item: name,
      ok: setting.missing,
      found: 'not known to this server',
      wanted,
      why,
      statement: null,
    };
  }
  const ok = right.includes(found.toUpperCase());
  return {
    item: name,
    ok: ok || setting.wrong,
    found: found === '' ? "''" : found,
    wanted,
    why,
    statement: ok ? null : setStatement(facts, name, right[0] ?? ''),
  };
}

function checkVersion(facts: ServerFacts): Check {
  const { flavor, version } = facts.identity;
  const [major = 0, minor = 0] = version.split('.').map(part => Number.parseInt(part, 10));
  const least = flavor === 'mariadb' ? [10, 5] : [5, 6];
  const enough = major > (least[0] ?? 0) || (major === least[0] && minor >= (least[1] ?? 0));
  return {
    item: 'version',
    ok: enough,
    found: version,
    wanted: flavor === 'mariadb' ? 'MariaDB 10.5 or newer' : 'MySQL 5.6 or newer',
    why: 'Older servers were never tried.',
    statement: null,
  };
}

function checkLogBin(facts: ServerFacts): Check {
  const on = facts.variables.get('log_bin') === 'ON';
  return {
    item: 'log_bin',
    ok: on,
    found: on ? 'ON' : 'OFF',
    wanted: 'ON',
    why: on
      ? 'The binlog is what the line reads.'
      : 'The binlog is what the line reads. Put log_bin = binlog into the [mysqld] section of the configuration and restart.',
    statement: null,
  };
}

function checkGtid(facts: ServerFacts): Check {
  const found = facts.identity.flavor === 'mariadb' ? 'ON' : (facts.variables.get('gtid_mode') ?? 'OFF');
  return {
    item: 'gtid_mode',
    ok: facts.gtidOn || 'warn',
    found,
    wanted: 'ON',
    why: 'Without GTIDs the line cannot go on with another server after a failover.',
    statement: facts.gtidOn
      ? null
      : "SET PERSIST enforce_gtid_consistency = 'ON'; SET PERSIST gtid_mode = 'OFF_PERMISSIVE'; SET PERSIST gtid_mode = 'ON_PERMISSIVE'; SET PERSIST gtid_mode = 'ON'",
  };
}

/** Hours that a binlog file is kept; null when the server never purges by age. */
function retentionHours(facts: ServerFacts): number | null {
  const seconds = expireSeconds(facts);
  return seconds === null ? null : seconds / HOUR_S;
}

function checkRetention(facts: ServerFacts): Check {
  const hours = retentionHours(facts);
  const bySize = Number(facts.variables.get('max_binlog_total_size') ?? 0);
  const enough = (hours === null || hours >= WANTED_HOURS) && bySize === 0;
  const age = hours === null ? 'for ever' : `${Math.round(hours * 10) / 10} hours`;
  const statement =
    facts.variables.has('binlog_expire_logs_seconds') || facts.identity.flavor === 'mysql'
      ? setStatement(facts, 'binlog_expire_logs_seconds', String(7 * 24 * HOUR_S))
      : setStatement(facts, 'expire_logs_days', '7');
  return {
    item: 'retention',
    ok: enough || 'warn',
    found: bySize === 0 ? age : `${age}, at most ${bySize} bytes`,
    wanted: `${WANTED_HOURS} hours or more`,
    why: 'A line that stands still for longer than the binlog is kept loses changes.',
    statement: enough || (hours !== null && hours >= WANTED_HOURS) ? null : statement,
  };
}

/** Looks at the settings of the server that capture depends on. */
export function checkSettings(facts: ServerFacts): readonly Check[] {
  return [
    checkVersion(facts),
    checkLogBin(facts),
    ...SETTINGS.filter(setting => setting.missing !== true || facts.variables.has(setting.name)).map(
      setting => checkSetting(facts, setting),
    ),
    checkGtid(facts),
    checkRetention(facts),
  ];
}
