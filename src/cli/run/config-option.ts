import { readFileSync } from 'node:fs';
import { mistakeText, pathText } from '../../config/mistake.ts';
import { type Environment, readYamlText } from '../../config/yaml-text.ts';
import { yamlValueOf } from '../../config/yaml-value.ts';
import { messageOf, UmbusError } from '../../core/errors.ts';

/**
 * The config that `--config` options make together: `key=value` (the value read as YAML, so that `3`, `true` and `[a, b]` are what they look
 * like) or a YAML or JSON file, later ones over earlier ones. `${NAME}` in a file is replaced from the environment.
 * Errors: UMBUS_CONFIG_UNREADABLE, UMBUS_CONFIG_INVALID.
 */
export function configFrom(
  options: readonly string[],
  environment: Environment,
): Readonly<Record<string, unknown>> {
  const config: Record<string, unknown> = {};
  for (const option of options) Object.assign(config, pairOf(option) ?? fileConfig(option, environment));
  return config;
}

function pairOf(option: string): Readonly<Record<string, unknown>> | null {
  const [, key, text] = /^([A-Za-z_][\w-]*)=(.*)$/s.exec(option) ?? [];
  return key === undefined || text === undefined ? null : { [key]: yamlValueOf(text) };
}

function fileConfig(file: string, environment: Environment): Readonly<Record<string, unknown>> {
  const { value, mistakes } = readYamlText(readText(file), environment);
  if (mistakes.length > 0) {
    const lines = mistakes.map(mistake => {
      const text = mistakeText({
        ...mistake,
        code: 'UMBUS_CONFIG_INVALID',
        file,
        path: pathText(mistake.path),
      });
      return `  ${text}.`;
    });
    throw new UmbusError('UMBUS_CONFIG_INVALID', `The config ${file} is not valid:\n${lines.join('\n')}`);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new UmbusError('UMBUS_CONFIG_INVALID', `The config ${file} does not hold keys and values.`);
  }
  return { ...value };
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new UmbusError(
      'UMBUS_CONFIG_UNREADABLE',
      `The config ${file} cannot be read: ${messageOf(cause)}.`,
      { cause },
    );
  }
}
