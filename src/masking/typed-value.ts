import { Buffer } from 'node:buffer';
import type { UmsType, UmsValue } from '../ums/types.ts';

/** A masked value is never longer than this many bytes of JSON. */
export const MASKED_BYTES_MAX = 64 * 1024 * 1024;

const DATE = /^\d{4}-(0\d|1[0-2])-([0-2]\d|3[01])$/;
const DATE_TIME = /^\d{4}-(0\d|1[0-2])-([0-2]\d|3[01]) ([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,6})?$/;
const DECIMAL = /^-?\d{1,65}(\.\d{1,38})?$/;
const WHOLE = /^-?\d{1,20}$/;
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
const INT_MAX = 2 ** 31;
const LONG_MIN = -(2n ** 63n);
const LONG_MAX = 2n ** 64n;

/** What stands for a value where nothing of it may be seen: DBUS's default values, and for the types that it does not have one that is a value of the type. */
export function defaultValue(type: UmsType): UmsValue {
  switch (type) {
    case 'decimal':
    case 'long':
      return '0';
    case 'int':
    case 'double':
    case 'float':
      return 0;
    case 'date':
      return '1970-01-01';
    case 'datetime':
      return '1970-01-01 08:00:01.000';
    case 'boolean':
      return false;
    case 'binary':
      return Buffer.from('*').toString('base64');
    case 'jsonobject':
      return JSON.stringify('*');
    default:
      return '*';
  }
}

/** The value of a type that a text says; null when it says none. Text and bytes of any content are values of `string`, `binary` (as their UTF-8) and `jsonobject` (as a JSON string). */
export function valueOfText(type: UmsType, text: string): UmsValue {
  switch (type) {
    case 'int':
    case 'float':
    case 'double': {
      const number = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d{1,4})?$/i.test(text) ? Number(text) : Number.NaN;
      const value = type === 'float' ? Math.fround(number) : number;
      return fits(type, value) ? value : null;
    }
    case 'long':
    case 'decimal': {
      const plain = text.replace(/^\+/, '');
      return fits(type, plain) ? plain : null;
    }
    case 'boolean':
      return text === 'true' ? true : text === 'false' ? false : null;
    case 'binary':
      return Buffer.from(text, 'utf8').toString('base64');
    case 'jsonobject':
      return JSON.stringify(text);
    default:
      return fits(type, text) ? text : null;
  }
}

/** Whether a value is one of a type, as a tuple may hold it; null and marks are not. */
export function fits(type: UmsType, value: unknown): boolean {
  switch (type) {
    case 'int':
      return Number.isInteger(value) && Number(value) >= -INT_MAX && Number(value) < INT_MAX;
    case 'float':
    case 'double':
      return typeof value === 'number' && Number.isFinite(value);
    case 'boolean':
      return typeof value === 'boolean';
    default:
      return typeof value === 'string' && value.length <= MASKED_BYTES_MAX && textFits(type, value);
  }
}

function textFits(type: UmsType, value: string): boolean {
  switch (type) {
    case 'long':
      return WHOLE.test(value) && BigInt(value) >= LONG_MIN && BigInt(value) < LONG_MAX;
    case 'decimal':
      return DECIMAL.test(value);
    case 'date':
      return DATE.test(value);
    case 'datetime':
      return DATE_TIME.test(value);
    case 'binary':
      return BASE64.test(value);
    case 'jsonobject':
      return isJson(value) && value.isWellFormed();
    default:
      return value.isWellFormed();
  }
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    // The parser is the only way to ask.
    return false;
  }
}
