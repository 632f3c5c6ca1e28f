/** Text of a Java properties file (`java.util.Properties`): one line per setting, in their order. */
export function propertiesText(settings: Readonly<Record<string, string>>): string {
  const lines = Object.entries(settings).map(
    ([name, value]) => `${name}=${value.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')}\n`,
  );
  return lines.join('');
}
