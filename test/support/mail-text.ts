import { Buffer } from 'node:buffer';

/** A mail's headers and text with their encodings undone: encoded words (RFC 2047), quoted-printable and base64 bodies. */
export function decodedMail(raw: string): string {
  const cut = raw.indexOf('\r\n\r\n');
  const head = raw.slice(0, cut).replaceAll(/\r\n[ \t]+/g, ' ');
  const body = raw.slice(cut + 4);
  return `${decodedWords(head)}\n\n${decodedBody(head, body)}`;
}

function decodedWords(head: string): string {
  return head
    .replaceAll(/\?=\s+=\?/g, '?==?')
    .replaceAll(/=\?utf-8\?([bq])\?([^?]*)\?=/gi, (_all, form: string, text: string) =>
      form.toLowerCase() === 'b'
        ? Buffer.from(text, 'base64').toString('utf8')
        : quoted(text.replaceAll('_', ' ')),
    );
}

function decodedBody(head: string, body: string): string {
  if (/^content-transfer-encoding: base64/im.test(head)) return Buffer.from(body, 'base64').toString('utf8');
  if (/^content-transfer-encoding: quoted-printable/im.test(head))
    return quoted(body.replaceAll('=\r\n', ''));
  return body;
}

function quoted(text: string): string {
  const bytes = text.replaceAll(/=([0-9A-F]{2})/g, (_all, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  return Buffer.from(bytes, 'latin1').toString('utf8');
}
