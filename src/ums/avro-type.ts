import { Buffer } from 'node:buffer';
import avsc from 'avsc';

const WORD = 0x1_0000_0000;
/** No number with more digits is exact. */
const SAFE_DIGITS = 16;
/** One long on its way; avsc packs it before it asks for the next. */
const longBytes = Buffer.alloc(8);

/** Avro longs as text of digits, as UMS has them: a JavaScript number cannot hold 64 bits. */
const longText = avsc.types.LongType.__with({
  fromBuffer: (bytes: Buffer) => bytes.readBigInt64LE().toString(),
  toBuffer: (text: string) => {
    const value = text.length <= SAFE_DIGITS ? Number(text) : Number.NaN;
    if (Number.isSafeInteger(value)) {
      const high = Math.floor(value / WORD);
      longBytes.writeInt32LE(high, 4);
      longBytes.writeUInt32LE(value - high * WORD, 0);
    } else {
      longBytes.writeBigInt64LE(BigInt(text));
    }
    return longBytes;
  },
  fromJSON: String,
  toJSON: (text: string) => text,
  isValid: (value: unknown) => typeof value === 'string',
  compare: (a: string, b: string) => Number(BigInt.asIntN(64, BigInt(a) - BigInt(b))),
});

/** Reads and writes the records of an Avro schema; `long` is text. Throws what avsc throws for a schema that it does not take. */
export function avroRecordType(schemaText: string): avsc.types.RecordType {
  const schema: avsc.Schema = JSON.parse(schemaText);
  const type = avsc.Type.forSchema(schema, { registry: { long: longText } });
  if (!(type instanceof avsc.types.RecordType)) throw new TypeError('The schema is not one of a record.');
  return type;
}
