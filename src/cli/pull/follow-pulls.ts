import { isOver } from '../../adapters/pull/pull-cells.ts';
import type { PullJob } from '../../change/pull-job.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Terminal } from '../terminal.ts';
import type { OpenPulls } from './open-pulls.ts';
import { PullRates, progressText, type ShownPull, shareOf } from './pull-text.ts';

const LOOK_MS = 500;
/** Between two lines about a pull where no terminal shows it live. */
const TELL_MS = 2000;
const BAR_WIDTH = 20;
/** Lines of a terminal that are left to what stands above. */
const LINES_LEFT = 4;

/**
 * Tells how pulls go until they are over, or this command is stopped: on a terminal as lines that change, else as new lines from time to time. Whether none was aborted.
 */
export async function followPulls(
  { cells, absent }: Pick<OpenPulls, 'cells' | 'absent'>,
  jobs: readonly PullJob[],
  clock: Clock,
  terminal: Terminal,
): Promise<boolean> {
  const open = new Set(jobs.map(({ pull }) => pull));
  const screen = terminal.columns === null ? new PlainLines(terminal) : new LiveLines(terminal);
  const rates = new PullRates();
  let failed = 0;
  for (;;) {
    const shown: ShownPull[] = [];
    const lacks = await absent();
    const ended: ShownPull[] = [];
    for (const pull of open) {
      const record = await cells.record(pull);
      if (record === null) continue;
      const [counts, burden] = [await cells.counts(pull), await cells.burden(pull)];
      const each = { record, counts, burden, control: await cells.control(pull), lacks };
      if (!isOver(record)) shown.push(each);
      else {
        open.delete(pull);
        ended.push(each);
        if (record.status === 'abort') failed++;
      }
    }
    await screen.show({ ended, open: shown, rateOf: pull => rates.of(pull), nowMs: clock.now() });
    if (open.size === 0) return failed === 0;
    if (terminal.stopping.aborted) {
      terminal.tell('The pull goes on without this command: umbus pulls shows it.');
      return true;
    }
    await clock.sleep(LOOK_MS, terminal.stopping);
  }
}

/** What there is to show. */
interface Shown {
  /** Since the last time. */
  readonly ended: readonly ShownPull[];
  readonly open: readonly ShownPull[];
  readonly rateOf: (pull: ShownPull) => number;
  readonly nowMs: number;
}

/** New lines, for what has changed. */
class PlainLines {
  readonly #terminal: Terminal;
  readonly #told = new Map<string, { readonly text: string; readonly atMs: number }>();

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
  }

  async show({ ended, open, rateOf, nowMs }: Shown): Promise<void> {
    for (const pull of [...ended, ...open]) {
      const { job } = pull.record;
      const text = progressText(pull, rateOf(pull), nowMs);
      const before = this.#told.get(job.pull);
      const soon = before !== undefined && nowMs - before.atMs < TELL_MS;
      if (before?.text === text || (soon && !isOver(pull.record))) continue;
      this.#told.set(job.pull, { text, atMs: nowMs });
      await this.#terminal.report(`${text}\n`);
    }
  }
}

/** A line for each pull that is not over, drawn again and again; those that are over stay above. */
class LiveLines {
  readonly #terminal: Terminal;
  #drawn = 0;

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
  }

  async show({ ended, open, rateOf, nowMs }: Shown): Promise<void> {
    const { columns, rows } = this.#terminal;
    const most = Math.max(1, (rows ?? 24) - LINES_LEFT);
    const lines = open.slice(0, most).map(pull => this.#line(pull, rateOf(pull), nowMs, columns ?? 80));
    if (open.length > most) lines.push(`and ${open.length - most} more`);
    const over = ended.map(pull => {
      const text = progressText(pull, rateOf(pull), nowMs);
      return this.#terminal.paint(pull.record.status === 'abort' ? 'red' : 'green', text);
    });
    const erase = this.#drawn === 0 ? '' : `\x1b[${this.#drawn}A\x1b[J`;
    this.#drawn = lines.length;
    await this.#terminal.report(`${erase}${[...over, ...lines].map(line => `${line}\n`).join('')}`);
  }

  /** Cut to the width of the terminal: what wraps could not be drawn again. */
  #line(pull: ShownPull, rate: number, nowMs: number, columns: number): string {
    const share = shareOf(pull);
    const full = Math.round((share ?? 0) * BAR_WIDTH);
    const bar = `${'━'.repeat(full)}${'╌'.repeat(BAR_WIDTH - full)} ${share === null ? '' : `${Math.floor(share * 100)} %`}`;
    const text = progressText(pull, rate, nowMs);
    const waits = text.includes('  waits');
    const line = `${bar.padEnd(BAR_WIDTH + 6)} ${text}`.slice(0, columns - 1);
    return waits ? this.#terminal.paint('yellow', line) : line;
  }
}
