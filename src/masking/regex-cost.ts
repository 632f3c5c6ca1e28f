/**
 * How much work a regular expression can make at worst. The engine tries one alternative after the other, so a pattern such as `(a+)+$` can keep it busy for years over
 * forty characters. What bounds it: the product of the choices that a pattern offers on one way through it. Where a repeated part has choices of its own
 * that product has no useful bound, and the pattern is refused.
 */

/** Characters that are matched at most, whatever the pattern. */
export const REGEX_INPUT_MAX = 64 * 1024;
/** Steps of the engine that one value may cost at worst. */
const STEPS_MAX = 2e8;

/** What a pattern can cost: at worst `choices * n^unbounded` ways through it for an input of n characters. */
interface Cost {
  readonly choices: number;
  readonly unbounded: number;
}

const ONE: Cost = { choices: 1, unbounded: 0 };

/**
 * The longest input, in UTF-16 units, that a pattern is used on, so that the work stays within a bound; or why it is not used at all. The pattern must be one that
 * `RegExp` takes with the flag `u`.
 */
export function regexInputMax(source: string): number | { readonly refused: string } {
  const reader = new CostReader(source);
  const cost = reader.alternatives();
  if (typeof cost === 'string') return { refused: cost };
  // One factor for the characters of each way, and one for the places where a match may begin.
  const power = cost.unbounded + (source.startsWith('^') && !source.includes('|') ? 1 : 2);
  const length = Math.floor((STEPS_MAX / cost.choices) ** (1 / power));
  if (length < 16) return { refused: 'it offers too many choices' };
  return Math.min(length, REGEX_INPUT_MAX);
}

/** Walks over a pattern. Each method gives the cost of what it has read, or why the pattern is refused. */
class CostReader {
  readonly #source: string;
  #at = 0;

  constructor(source: string) {
    this.#source = source;
  }

  alternatives(): Cost | string {
    let count = 1;
    let total = this.#sequence();
    while (typeof total !== 'string' && this.#source[this.#at] === '|') {
      this.#at++;
      count++;
      const next = this.#sequence();
      if (typeof next === 'string') return next;
      total = {
        choices: Math.max(total.choices, next.choices),
        unbounded: Math.max(total.unbounded, next.unbounded),
      };
    }
    return typeof total === 'string' ? total : { ...total, choices: total.choices * count };
  }

  #sequence(): Cost | string {
    let total = ONE;
    while (this.#at < this.#source.length && !'|)'.includes(this.#source[this.#at] ?? '')) {
      const part = this.#repeated();
      if (typeof part === 'string') return part;
      total = { choices: total.choices * part.choices, unbounded: total.unbounded + part.unbounded };
    }
    return total;
  }

  #repeated(): Cost | string {
    const atom = this.#atom();
    if (typeof atom === 'string') return atom;
    const [text, min = '', max = ''] =
      /^(?:[*+?]|\{(\d+)(?:,(\d*))?\})\??/.exec(this.#source.slice(this.#at)) ?? [];
    if (text === undefined) return atom;
    this.#at += text.length;
    const sign = text[0];
    const fewest = sign === '{' ? Number(min) : sign === '+' ? 1 : 0;
    const most =
      sign === '?'
        ? 1
        : sign !== '{'
          ? Number.POSITIVE_INFINITY
          : text.includes(',')
            ? max === ''
              ? Number.POSITIVE_INFINITY
              : Number(max)
            : fewest;
    if (most > 1 && (atom.choices > 1 || atom.unbounded > 0)) {
      return 'a part that is repeated has a choice or a repetition within';
    }
    if (most === Number.POSITIVE_INFINITY) return { choices: 1, unbounded: 1 };
    return { ...atom, choices: atom.choices * (most - fewest + 1) };
  }

  #atom(): Cost | string {
    const source = this.#source;
    const sign = source[this.#at++];
    if (sign === '\\') {
      // `\u{1f600}`, `\p{L}` and `\k<name>` have more behind them, which is no repetition.
      const long = /^(?:[pP]\{[^}]*\}|u\{[^}]*\}|k<[^>]*>|[\s\S])/u.exec(source.slice(this.#at));
      this.#at += long?.[0].length ?? 0;
      return ONE;
    }
    if (sign === '[') {
      while (this.#at < source.length && source[this.#at] !== ']')
        this.#at += source[this.#at] === '\\' ? 2 : 1;
      this.#at++;
      return ONE;
    }
    if (sign !== '(') return ONE;
    this.#at += /^\?(?:[:=!]|<[=!]|<[^>]*>)/.exec(source.slice(this.#at))?.[0].length ?? 0;
    const inner = this.alternatives();
    this.#at++;
    return inner;
  }
}
