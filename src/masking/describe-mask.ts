import type { MaskRule, MaskSpec } from './mask-spec.ts';

/** A rule in one line, with its parameters but without secrets: `hmac-sha256 key=pii length=64 (*.phone)`. Tells any two apart that differ in more than a secret. */
export function describeMask({ pattern, spec }: MaskRule): string {
  return [spec.kind, ...parametersOf(spec), `(${pattern})`].join(' ');
}

function parametersOf(spec: MaskSpec): readonly string[] {
  switch (spec.kind) {
    case 'default-value':
    case 'null':
      return [];
    case 'replace':
      return [`with=${JSON.stringify(spec.text)}`];
    case 'md5':
    case 'murmur3':
      if (spec.saltColumn !== null) return [`saltColumn=${spec.saltColumn}`];
      return spec.salt === null ? [] : [`salt=${spec.salt.name}`];
    case 'regex':
      return [`regex=${JSON.stringify(spec.regex)}`, `replacement=${JSON.stringify(spec.replacement)}`];
    case 'hmac-sha256':
      return [`key=${spec.key.name}`, `length=${spec.length}`];
    case 'digits':
      return [`key=${spec.key.name}`];
    case 'keep-edges':
      return [`first=${spec.first}`, `last=${spec.last}`, `fill=${JSON.stringify(spec.fill)}`];
    case 'truncate':
      return [`length=${spec.length}`];
    case 'bucket':
      return [`size=${'unit' in spec.size ? spec.size.unit : spec.size.step}`];
    case 'function':
      return [spec.id, ...(spec.columns.length === 0 ? [] : [`columns=${[spec.columns].flat().join(',')}`])];
    default:
      return spec satisfies never;
  }
}
