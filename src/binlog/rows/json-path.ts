/** One step of a path: a member's name or an element's index. */
export type PathLeg = string | number;

const LEG = /\.([A-Za-z_$\u0080-\u{10ffff}][\w$\u0080-\u{10ffff}]*)|\.("(?:[^"\\]|\\.)*")|\[(\d+)\]/uy;

/** The steps of a path as the server writes it (`$.name."a b"[2]`); null when it is none. Source: MySQL manual, "JSON Path Syntax". */
export function parseJsonPath(text: string): readonly PathLeg[] | null {
  if (!text.startsWith('$')) return null;
  const legs: PathLeg[] = [];
  LEG.lastIndex = 1;
  while (LEG.lastIndex < text.length) {
    const match = LEG.exec(text);
    if (match === null) return null;
    const [, name, quoted, index] = match;
    if (index !== undefined) legs.push(Number(index));
    else if (name !== undefined) legs.push(name);
    else {
      const leg = unquoted(quoted ?? '');
      if (leg === null) return null;
      legs.push(leg);
    }
  }
  return legs;
}

function unquoted(text: string): string | null {
  try {
    const parsed: unknown = JSON.parse(text);
    return typeof parsed === 'string' ? parsed : null;
  } catch {
    return null; // a bad escape: the path is damaged
  }
}
