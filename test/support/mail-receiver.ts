import assert from 'node:assert/strict';
import { buffer } from 'node:stream/consumers';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';

/** A mail as it came. */
export interface ReceivedMail {
  readonly from: string;
  readonly to: readonly string[];
  /** Headers and body as sent. */
  readonly raw: string;
  readonly encrypted: boolean;
  readonly user: string | null;
}

/** What the server says to a mail: null takes it, a status refuses it, `silence` never answers. */
export type MailAnswer = null | number | 'silence';

/** An SMTP server on a free port of this machine that keeps what it takes. */
export interface MailReceiver extends AsyncDisposable {
  readonly port: number;
  readonly mails: readonly ReceivedMail[];
  answer: MailAnswer;
  close(): Promise<void>;
}

/** Starts one. `login`: the only one that is let in; without it nobody need say who he is. */
export async function startMailReceiver(
  options: SMTPServerOptions & { readonly login?: { readonly user: string; readonly pass: string } } = {},
): Promise<MailReceiver> {
  const mails: ReceivedMail[] = [];
  const { login, ...rest } = options;
  const receiver: { answer: MailAnswer } = { answer: null };
  const server = new SMTPServer({
    ...(login === undefined ? { disabledCommands: ['AUTH'] } : {}),
    closeTimeout: 1,
    logger: false,
    ...rest,
    onAuth: ({ username, password }, _session, done) => {
      if (username === login?.user && password === login?.pass) done(null, { user: username });
      else done(Object.assign(new Error('Who are you?'), { responseCode: 535 }));
    },
    onData: (stream, session, done) => {
      void buffer(stream).then(raw => {
        if (receiver.answer === 'silence') return;
        if (receiver.answer !== null) {
          done(Object.assign(new Error('Not now.'), { responseCode: receiver.answer }));
          return;
        }
        const { mailFrom, rcptTo } = session.envelope;
        mails.push({
          from: mailFrom === false ? '' : mailFrom.address,
          to: rcptTo.map(({ address }) => address),
          raw: raw.toString('utf8'),
          encrypted: session.secure,
          user: typeof session.user === 'string' ? session.user : null,
        });
        done();
      });
    },
  });
  // Clients that break off are part of the tests.
  server.on('error', () => {});
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const address = server.server.address();
  assert.ok(typeof address === 'object' && address !== null);
  const close = (): Promise<void> => new Promise(resolve => server.close(() => resolve()));
  return Object.assign(receiver, { port: address.port, mails, close, [Symbol.asyncDispose]: close });
}
