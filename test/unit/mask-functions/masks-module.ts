/** Masks as a user may write them, most of them badly. */

export const initial = (value: string): string => value.slice(0, 1);

export function withRow(value: string, row: Readonly<Record<string, unknown>>): string {
  return `${value.length}${JSON.stringify(row)}`;
}

export function throws(value: string): string {
  throw new Error(`cannot do ${value}`);
}

export async function promise(value: string): Promise<string> {
  await Promise.resolve();
  throw new Error(value);
}

export function later(value: string): string {
  setTimeout(() => {
    throw new Error(value);
  }, 0);
  return 'later';
}

export function forEver(): string {
  for (;;) {}
}

export function prints(value: string): string {
  console.log(value);
  console.error(value);
  process.stdout.write(value);
  return 'printed';
}

export const nothing = (): undefined => undefined;
export const object = (value: string): unknown => ({ value });
export const notANumber = (): number => Number.NaN;
export const huge = (): string => 'x'.repeat(20_000_000);
export const big = (value: string): string => value.repeat(2);
export const notAFunction = 7;

/** Ends the thread. */
export function exits(): never {
  process.exit(3);
}
