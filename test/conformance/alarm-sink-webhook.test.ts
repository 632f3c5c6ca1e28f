import { createWebhook } from '../../src/adapters/alarms/index.ts';
import { startHttpReceiver } from '../support/http-receiver.ts';
import { alarmSinkSuite, type Behaviour } from './alarm-sink.ts';

const statuses: Readonly<Record<Behaviour, number>> = { take: 204, later: 503, refuse: 404, silent: 0 };

alarmSinkSuite('webhook', async () => {
  let behaviour: Behaviour = 'take';
  const taken: string[] = [];
  const receiver = await startHttpReceiver((response, { body }) => {
    const status = statuses[behaviour];
    if (status === 0) return;
    if (behaviour === 'take') taken.push(body);
    response.writeHead(status).end('what is answered is not read');
  });
  return {
    sink: createWebhook({
      name: 'hook',
      url: `${receiver.url}/hook`,
      headers: {},
      secret: null,
      timeoutMs: 300,
    }),
    taken,
    behave: how => {
      behaviour = how;
    },
    close: receiver.close,
    [Symbol.asyncDispose]: receiver.close,
  };
});
