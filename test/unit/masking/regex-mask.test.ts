import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { regexInputMax } from '../../../src/masking/regex-cost.ts';
import { regexParts } from '../../../src/masking/regex-mask.ts';
import { masked } from './masks-fixture.ts';

const regex = (pattern: string, replacement: string) =>
  ({ kind: 'regex', regex: pattern, replacement }) as const;

describe('regex', () => {
  test('does what the recipes of DBUS say', () => {
    const phone = regex('^(\\+?\\d{2}-?)?(\\d{3})\\d{4}(\\d{4})$', '$1$2****$3');
    assert.equal(masked(phone, 'string', '+86-13812345678'), '+86-138****5678');
    assert.equal(masked(phone, 'string', '13812345678'), '138****5678');
    assert.equal(masked(phone, 'string', '1381234567'), '*');
    const id = regex(
      '^(\\d{6})(\\d{8})(\\d{3})([0-9Xx])|^(\\d{6})(\\d{6})(\\d{2})([0-9Xx])$',
      '$1$5********$3$4$7$8',
    );
    assert.equal(masked(id, 'string', '11010519491231002X'), '110105********002X');
    assert.equal(masked(id, 'string', '110105491231002'), '110105********002');
    const name = regex('^\\s*([\\u4e00-\\u9fa5]{1}).*', '$1**');
    assert.equal(masked(name, 'string', ' 李先生'), '李**');
    assert.equal(masked(name, 'string', 'Smith'), '*');
  });

  test('replaces every match when the whole value matches, and leaves the empty text', () => {
    assert.equal(masked(regex('[0-9]', '#'), 'string', '7'), '#');
    assert.equal(masked(regex('[0-9]', '#'), 'string', '77'), '*');
    assert.equal(masked(regex('[0-9]*', 'x'), 'string', '77'), 'xx');
    assert.equal(masked(regex('a+', 'x'), 'string', ''), '');
  });

  test('gives the default value where the result is no value of the column', () => {
    assert.equal(masked(regex('(\\d)\\d*', '$1'), 'int', 7123), 7);
    assert.equal(masked(regex('(\\d)\\d*', '$1xx'), 'int', 7123), 0);
  });

  test('reads references to groups as Java does', () => {
    const parts = regexParts('(?<a>x)(y)', '$\u007ba}$22\\$1');
    assert.ok(!('problem' in parts));
    assert.equal(parts.replace('xy'), 'xy2$1');
  });

  test('says what is wrong with an expression or a replacement', () => {
    const problem = (pattern: string, replacement = ''): string | null => {
      const parts = regexParts(pattern, replacement);
      return 'problem' in parts ? `${parts.part} ${parts.problem}` : null;
    };
    assert.equal(problem('('), 'regex is no regular expression (Unterminated group)');
    assert.equal(problem('a', '$1'), 'replacement names group 1, and the regular expression has 0');
    assert.equal(
      problem('a', '$\u007bb}'),
      'replacement names the group b, which the regular expression does not have',
    );
    assert.match(problem('a', 'cost: $') ?? '', /has a \$ without a group/);
    assert.match(problem('(a+)+$') ?? '', /could take for ever: a part that is repeated has a choice/);
  });
});

describe('the bound on what a regular expression costs', () => {
  const refused = [
    '(a+)+$',
    '(a|a)*$',
    '(a|ab)*c',
    '(.*)*',
    '((a?){30})',
    '(?:a?){40}a{40}',
    '(\\w+\\s?)*$',
    '(?=(a+)+)b',
  ];
  for (const pattern of refused) {
    test(`refuses ${pattern}`, () => {
      assert.equal(typeof regexInputMax(pattern), 'object');
    });
  }

  test('allows what has no choice in its repetitions, for shorter inputs where there are more of them', () => {
    assert.equal(regexInputMax('^\\d{3}$'), 65_536);
    assert.equal(regexInputMax('(?:[ab])+[^a]'), regexInputMax('x+'));
    const lengths = ['^a*$', '^a*b*$', '^a*b*c*$'].map(regexInputMax);
    assert.deepEqual(lengths, [14142, 584, 118]);
  });

  test('holds: the worst inputs of the length that is allowed take less than two seconds', () => {
    for (const pattern of ['^a*a*$', 'a*a*b', '.*a.*', '^(a?)(a?)(a?)(a?)(a?)(a?)a*$', '(x|a)(a|x)a*a*y']) {
      const parts = regexParts(pattern, '');
      assert.ok(!('problem' in parts), pattern);
      const text = `${'a'.repeat(parts.inputMax - 1)}!`;
      const start = process.cpuUsage().user;
      parts.matches(text);
      parts.replace(text);
      assert.ok(process.cpuUsage().user - start < 2_000_000, pattern);
    }
  });

  test('is kept: a longer value becomes the default value', () => {
    assert.equal(masked(regex('.*', '$&'.replace('$&', 'x')), 'string', 'y'.repeat(100_000)), '*');
  });
});
