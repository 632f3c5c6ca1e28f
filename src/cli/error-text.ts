import { isUmbusError, messageOf } from '../core/errors.ts';

/** What a person reads of an error: `umbus: CODE: message`, then the code's remedy; a stack only for faults of umbus itself. */
export function errorText(error: unknown): string {
  if (!isUmbusError(error)) {
    const stack = error instanceof Error && error.stack !== undefined ? error.stack : messageOf(error);
    return `umbus: UMBUS_INTERNAL: An error that umbus did not expect. Please report it.\n${stack}`;
  }
  const lines = [`umbus: ${error.code}: ${error.message}`];
  if (error.code === 'UMBUS_INTERNAL') lines.push(error.stack ?? '');
  lines.push(`  ${error.remedy}`);
  return lines.join('\n');
}
