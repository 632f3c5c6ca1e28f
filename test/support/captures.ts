import { readFileSync } from 'node:fs';

/** Bytes of a real server's dump; see test/unit/binlog/captures/README.md. */
export function capture(name: string): Buffer {
  return readFileSync(new URL(`../unit/binlog/captures/${name}.bin`, import.meta.url));
}

/** The whole events of a capture without packets over 16 MB: payloads without the OK byte. */
export function capturedEvents(name: string): Buffer[] {
  const bytes = capture(name);
  const events: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = bytes.readUIntLE(at, 3);
    events.push(bytes.subarray(at + 5, at + 4 + length));
    at += 4 + length;
  }
  return events;
}
