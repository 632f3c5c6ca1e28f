import { createMail } from '../../src/adapters/alarms/index.ts';
import { type MailAnswer, startMailReceiver } from '../support/mail-receiver.ts';
import { decodedMail } from '../support/mail-text.ts';
import { alarmSinkSuite, type Behaviour } from './alarm-sink.ts';

const answers: Readonly<Record<Behaviour, MailAnswer>> = {
  take: null,
  later: 451,
  refuse: 554,
  silent: 'silence',
};

alarmSinkSuite('mail', async () => {
  const receiver = await startMailReceiver();
  return {
    sink: createMail({
      name: 'mail',
      host: '127.0.0.1',
      port: receiver.port,
      encryption: 'none',
      ca: null,
      verify: true,
      username: null,
      password: null,
      from: 'umbus <umbus@example.com>',
      to: ['ops@example.com'],
      timeoutMs: 300,
    }),
    get taken() {
      return receiver.mails.map(({ raw }) => decodedMail(raw));
    },
    behave: how => {
      receiver.answer = answers[how];
    },
    close: receiver.close,
    [Symbol.asyncDispose]: receiver.close,
  };
});
