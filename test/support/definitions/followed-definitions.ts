import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connectSql, type SqlSession } from '../../../src/adapters/mysql/connect.ts';
import type { BinlogPlace } from '../../../src/cli/drained.ts';
import { messageOf } from '../../../src/core/errors.ts';
import { binlogEnd, type RunningLine, startLine } from '../running-line.ts';
import type { AnyServerKind, Server } from '../servers.ts';
import { Dice } from './dice.ts';
import { differencesOf, type PublishedTables, parkedTables, publishedTables } from './published-tables.ts';
import type { DefinitionCase, Step } from './random-case.ts';
import { RestartedLine } from './restarted-line.ts';
import { seenTables } from './seen-tables.ts';
import { rowsOfAll, type Scene, statementsAbout } from './statement-sql.ts';

/** How cases came out. */
export interface DefinitionTally {
  readonly cases: number;
  /** Cases that compare nothing: one server took what the other refused, or the line with names did not know columns either. */
  readonly apart: number;
  readonly statements: number;
  readonly refused: number;
  readonly starts: number;
  readonly tables: number;
  /** Rows, lists of columns and ends that were published with names. */
  readonly published: number;
  readonly parked: number;
}

/** Where a case happens. */
type Place = Pick<Scene, 'schemas' | 'plain'>;

/** Runs cases on two servers, of which one does not name columns, and compares what lines make of both. */
export class FollowedDefinitions implements AsyncDisposable {
  readonly #kind: AnyServerKind;
  readonly #nameless: Server;
  readonly #naming: Server;
  readonly #sessions: readonly [nameless: SqlSession, naming: SqlSession];
  #count = 0;
  #tally: DefinitionTally = {
    cases: 0,
    apart: 0,
    statements: 0,
    refused: 0,
    starts: 0,
    tables: 0,
    published: 0,
    parked: 0,
  };

  static async open(kind: AnyServerKind, nameless: Server, naming: Server): Promise<FollowedDefinitions> {
    const sessions = [await sessionOf(nameless), await sessionOf(naming)] as const;
    return new FollowedDefinitions(kind, nameless, naming, sessions);
  }

  private constructor(
    kind: AnyServerKind,
    nameless: Server,
    naming: Server,
    sessions: readonly [SqlSession, SqlSession],
  ) {
    this.#kind = kind;
    this.#nameless = nameless;
    this.#naming = naming;
    this.#sessions = sessions;
  }

  get tally(): DefinitionTally {
    return this.#tally;
  }

  /** Runs a case; gives what differs, as sentences, and all that was done before it; [] when nothing does. */
  async run(each: DefinitionCase): Promise<readonly string[]> {
    const number = this.#count++;
    const schemas = (each.plain ? ['a', 'b'] : ['a', 'b', 'x']).map(name => `d${number}_${name}`);
    const dir = await mkdtemp(join(tmpdir(), 'umbus-definitions-'));
    const done: string[] = [];
    try {
      const differences = await this.#run(each, { schemas, plain: each.plain }, dir, done);
      return differences.length === 0 ? [] : [...differences, ...done];
    } catch (error) {
      return [messageOf(error), ...done];
    } finally {
      for (const session of this.#sessions) {
        for (const schema of schemas) await session.query(`DROP DATABASE IF EXISTS ${schema}`);
      }
      await rm(dir, { recursive: true, force: true });
    }
  }

  async #run(
    { begin, steps }: DefinitionCase,
    place: Place,
    dir: string,
    done: string[],
  ): Promise<readonly string[]> {
    this.#add({ cases: 1 });
    const subscribed = place.schemas.slice(0, 2);
    let naming = await binlogEnd(this.#naming);
    await using line = new RestartedLine(this.#nameless, subscribed, dir, await binlogEnd(this.#nameless));
    let apart = await this.#all(opening(place.schemas), done);
    for (const [i, step] of steps.entries()) {
      if (i === begin && i > 0 && line.starts === 0) {
        done.push('-- the line begins here');
        line.begin = await binlogEnd(this.#nameless);
        naming = await binlogEnd(this.#naming);
      }
      apart ||= await this.#step(step, place, line, done);
    }
    if (!apart) await this.#all(rowsOfAll(await this.#scene(place), new Dice([])), done);
    const running = await line.up();
    await running.drained();
    this.#add({ starts: line.starts });
    const differences = apart ? null : await this.#compare(running, naming, subscribed, place.plain);
    if (differences === null) this.#add({ apart: 1 });
    return differences ?? [];
  }

  async #scene(place: Place): Promise<Scene> {
    const tables = await seenTables(this.#sessions[0], place.schemas);
    return { ...place, kind: this.#kind, tables, count: () => this.#count++ };
  }

  /** Whether the servers have gone apart. */
  async #step(step: Step, place: Place, line: RestartedLine, done: string[]): Promise<boolean> {
    if (step.kind === 'statements') {
      const scene = await this.#scene(place);
      return await this.#all(statementsAbout(step.subject, scene, new Dice(step.numbers)), done);
    }
    done.push(`-- ${step.kind}`);
    switch (step.kind) {
      case 'start':
        await line.up();
        break;
      case 'stop':
        await line.down();
        break;
      case 'drain':
        await (await line.up()).drained();
        break;
      case 'glimpse':
        await line.glimpse(step.runs);
    }
    return false;
  }

  /** Runs statements on both servers. Whether one has refused what the other took. */
  async #all(statements: readonly string[], done: string[]): Promise<boolean> {
    const [nameless, naming] = this.#sessions;
    for (const sql of statements) {
      // Also what is refused: some engines have done half of it then.
      const [isDone, isDoneToo] = [await isTaken(nameless, sql), await isTaken(naming, sql)];
      done.push(`${isDone ? '' : '-- refused: '}${sql};`);
      this.#add({ statements: 1, refused: isDone ? 0 : 1 });
      if (isDone !== isDoneToo) return true;
    }
    return false;
  }

  /** What differs; null when the line with names has parked something itself, as UUID and INET of MariaDB when it is behind. */
  async #compare(
    line: RunningLine,
    begin: BinlogPlace,
    schemas: readonly string[],
    plain: boolean,
  ): Promise<readonly string[] | null> {
    await using named = await startLine({ server: this.#naming, schemas, partitions: 1, start: begin });
    await named.drained();
    if ((await parkedTables(named.log)).size > 0) return null;
    const parked = await parkedTables(line.log);
    const expected = await publishedTables(named.log, schemas);
    this.#add({ tables: expected.size, published: linesIn(expected), parked: parked.size });
    const differences = differencesOf(await publishedTables(line.log, schemas), expected, parked);
    if (differences.length === 0 && !plain) return [];
    return [...differences, ...[...parked].map(([table, why]) => `${table} is parked: ${why}`)];
  }

  #add(more: Partial<DefinitionTally>): void {
    const sum = (key: keyof DefinitionTally): number => this.#tally[key] + (more[key] ?? 0);
    this.#tally = {
      cases: sum('cases'),
      apart: sum('apart'),
      statements: sum('statements'),
      refused: sum('refused'),
      starts: sum('starts'),
      tables: sum('tables'),
      published: sum('published'),
      parked: sum('parked'),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const session of this.#sessions) await session[Symbol.asyncDispose]();
  }
}

async function sessionOf({ host, port, user, password }: Server): Promise<SqlSession> {
  return await connectSql({ host, port, user, password, tls: null });
}

/** A session as if it were new, since a case can end within a change of settings; the schemas, with the server's character set and with others; and the session in the first. */
function opening(schemas: readonly string[]): readonly string[] {
  const charsets = ['', ' CHARACTER SET utf8mb4', ' CHARACTER SET cp1251'];
  const settings = "SET NAMES utf8mb4, time_zone = '+00:00', sql_mode = ''";
  const created = schemas.map((name, i) => `CREATE DATABASE ${name}${charsets[i]}`);
  return ['ROLLBACK', settings, ...created, `USE ${schemas[0]}`];
}

async function isTaken(session: SqlSession, sql: string): Promise<boolean> {
  try {
    await session.query(sql);
    return true;
  } catch {
    return false;
  }
}

function linesIn(tables: PublishedTables): number {
  return [...tables.values()].reduce((sum, lines) => sum + lines.length, 0);
}
