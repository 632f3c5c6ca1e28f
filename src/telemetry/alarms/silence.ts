import type { Fault } from './fault.ts';

/** Nobody is told of faults that it covers, until it ends. */
export interface Silence {
  /** Pattern of `schema.table`, schema, hop or line: `*` stands for any text. */
  readonly pattern: string;
  /** Milliseconds since 1970-01-01 UTC. */
  readonly untilMs: number;
  readonly reason: string;
  /** Who made it, as `user@host`. */
  readonly by: string;
}

/** Whether a silence in force covers a fault: its table or schema, its hop, or everything (`*`). `matcher`: compiles a pattern. */
export function isSilenced(
  fault: Pick<Fault, 'subject' | 'where'>,
  silences: readonly Silence[],
  nowMs: number,
  matcher: (patterns: readonly string[]) => (name: string) => boolean,
): boolean {
  const schema = fault.subject.split('.', 1)[0] ?? '';
  const names = [fault.subject, schema, fault.where].filter(name => name !== '');
  return silences.some(
    ({ pattern, untilMs }) => untilMs > nowMs && names.some(name => matcher([pattern])(name)),
  );
}

/** The silences that are still in force. */
export function inForce(silences: readonly Silence[], nowMs: number): readonly Silence[] {
  return silences.filter(({ untilMs }) => untilMs > nowMs);
}
