import { styleText } from 'node:util';

/** Styles in use; `styleText` of node:util knows them. */
export type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan';

/** What a command sees of the world outside: two streams, the environment and the wish to stop. */
export interface Terminal {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Width of standard output in columns; null when it is no terminal. May change. */
  readonly columns: number | null;
  /** Height of standard output in lines; null when it is no terminal. May change. */
  readonly rows: number | null;
  /** Records as they are. Resolves when the reader has room for more; a reader that went away (EPIPE) raises `stopping`. */
  write(text: string): Promise<void>;
  /** Results that are not records: as `write`, with secrets given to `protect` masked. */
  report(text: string): Promise<void>;
  /** Messages beside the result, on standard error, with a line end; secrets are masked. */
  tell(text: string): void;
  /** Asks for a yes or no; anything but yes is no. Null when standard input or error is no terminal, so that nobody can answer. */
  ask(question: string): Promise<boolean | null>;
  /** Styled for standard output, plain when that is no terminal or NO_COLOR is set. */
  paint(style: Style, text: string): string;
  /** Adds a mask for `tell` and `report`. */
  protect(mask: (text: string) => string): void;
  /** Aborted by the first SIGINT or SIGTERM, or when nobody reads standard output any more. */
  readonly stopping: AbortSignal;
}

/** The terminal of this process. Signals are caught from the first use of `stopping`; a second one ends the process at once with 130 or 143. */
export function processTerminal(exit: (code: number) => void): Terminal {
  const stop = new AbortController();
  let listening = false;
  let mask = (text: string): string => text;
  const listen = (): void => {
    listening = true;
    for (const [signal, code] of [
      ['SIGINT', 130],
      ['SIGTERM', 143],
    ] as const) {
      process.on(signal, () => {
        if (stop.signal.aborted) exit(code);
        stop.abort();
      });
    }
  };
  const gone = (error: NodeJS.ErrnoException): void => {
    // `umbus tail ... | head` closes the pipe when it has seen enough: an end, not a fault.
    if (error.code !== 'EPIPE') throw error;
    stop.abort();
  };
  process.stdout.on('error', gone);
  process.stderr.on('error', gone);
  const room = (): Promise<void> =>
    new Promise(resolve => {
      const end = (): void => {
        process.stdout.off('drain', end).off('error', end).off('close', end);
        resolve();
      };
      process.stdout.on('drain', end).on('error', end).on('close', end);
    });
  const write = async (text: string): Promise<void> => {
    if (process.stdout.writable && !process.stdout.write(text)) await room();
  };
  const stopping = (): AbortSignal => {
    if (!listening) listen();
    return stop.signal;
  };
  return {
    environment: process.env,
    get columns() {
      return process.stdout.isTTY ? process.stdout.columns : null;
    },
    get rows() {
      return process.stdout.isTTY ? process.stdout.rows : null;
    },
    write,
    report: text => write(mask(text)),
    tell: text => {
      process.stderr.write(`${mask(text)}\n`);
    },
    ask: question => askAt(mask(question), stopping()),
    paint: (style, text) => styleText(style, text, { stream: process.stdout }),
    protect: added => {
      const before = mask;
      mask = text => added(before(text));
    },
    get stopping() {
      return stopping();
    },
  };
}

/** Resolves when what was written to this process's streams is with its readers, or they are gone: what waits is lost when the process is ended. */
export async function written(): Promise<void> {
  for (const stream of [process.stdout, process.stderr]) {
    if (stream.writable && stream.writableLength > 0) {
      await new Promise<void>(resolve => stream.write('', () => resolve()));
    }
  }
}

async function askAt(question: string, signal: AbortSignal): Promise<boolean | null> {
  if (!process.stdin.isTTY || !process.stderr.isTTY) return null;
  const { createInterface } = await import('node:readline/promises');
  // Not in raw mode, so that the keys that end a process end this one.
  const lines = createInterface({ input: process.stdin, output: process.stderr, terminal: false });
  try {
    return /^y(es)?$/i.test((await lines.question(`${question} [y/N] `, { signal })).trim());
  } catch (error) {
    if (signal.aborted) return false;
    throw error;
  } finally {
    lines.close();
  }
}
