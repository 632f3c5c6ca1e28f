import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createMail, createWebhook, type MailOptions, signatureOf } from '../../src/adapters/alarms/index.ts';
import { isUmbusError } from '../../src/core/errors.ts';
import { fullAlarm } from '../conformance/alarm-sink.ts';
import { makeCertificate } from '../support/certificates.ts';
import { startHttpReceiver } from '../support/http-receiver.ts';
import { startMailReceiver } from '../support/mail-receiver.ts';

const signal = (): AbortSignal => AbortSignal.timeout(20_000);

async function refusal(sending: Promise<void>): Promise<{ code: string; message: string }> {
  const error = await sending.then(
    () => assert.fail('The alarm was taken.'),
    (cause: unknown) => cause,
  );
  assert.ok(isUmbusError(error), String(error));
  return { code: error.code, message: error.message };
}

describe('webhook over HTTP', () => {
  it('posts JSON with the headers of the line file and a signature of the body', async () => {
    await using receiver = await startHttpReceiver(response => response.end());
    const hook = createWebhook({
      name: 'hook',
      url: `${receiver.url}/alarms?key=k`,
      headers: { Authorization: 'Bearer token', 'Content-Type': 'application/vnd.alarm+json' },
      secret: 'between us',
      timeoutMs: 5_000,
    });
    await hook.send(fullAlarm, signal());
    const [request] = receiver.requests;
    assert.ok(request !== undefined);
    assert.equal(`${request.method} ${request.path}`, 'POST /alarms?key=k');
    assert.equal(request.headers.authorization, 'Bearer token');
    assert.equal(request.headers['content-type'], 'application/vnd.alarm+json');
    assert.equal(request.headers['umbus-signature'], signatureOf(request.body, 'between us'));
    assert.deepEqual(JSON.parse(request.body), {
      protocol: { type: 'umbus_alarm', version: '1.0' },
      id: 'schema:shop.orders',
      line: 'shop',
      severity: 'critical',
      state: 'raised',
      title: fullAlarm.title,
      text: fullAlarm.text,
      at: '2026-11-28T17:30:01.250Z',
      details: fullAlarm.details,
    });
  });

  it('does not carry its headers to where a redirect points, and keeps the path out of messages', async () => {
    await using other = await startHttpReceiver(response => response.end());
    await using receiver = await startHttpReceiver(response =>
      response.writeHead(307, { location: other.url }).end(),
    );
    const hook = createWebhook({
      name: 'hook',
      url: `${receiver.url}/T0/secret-path`,
      headers: {},
      secret: null,
      timeoutMs: 5_000,
    });
    const { code, message } = await refusal(hook.send(fullAlarm, signal()));
    assert.equal(code, 'UMBUS_ALARM_REFUSED');
    assert.match(message, /127\.0\.0\.1:\d+ answered the alarm with HTTP status 307/);
    assert.ok(!message.includes('secret-path'));
    assert.equal(other.requests.length, 0);
  });

  it('comes again after answers that pass, and not after the others', async () => {
    let status = 0;
    await using receiver = await startHttpReceiver(response => response.writeHead(status).end());
    const hook = createWebhook({
      name: 'hook',
      url: receiver.url,
      headers: {},
      secret: null,
      timeoutMs: 5_000,
    });
    const codes: Record<number, string> = {};
    for (status of [400, 401, 410, 408, 425, 429, 500, 502]) {
      codes[status] = (await refusal(hook.send(fullAlarm, signal()))).code.replace('UMBUS_ALARM_', '');
    }
    assert.deepEqual(codes, {
      400: 'REFUSED',
      401: 'REFUSED',
      408: 'UNREACHABLE',
      410: 'REFUSED',
      425: 'UNREACHABLE',
      429: 'UNREACHABLE',
      500: 'UNREACHABLE',
      502: 'UNREACHABLE',
    });
  });
});

describe('mail over SMTP', () => {
  const certificate = makeCertificate();
  const login = { user: 'umbus', pass: 'mail-password' };
  const mailTo = (port: number, more: Partial<MailOptions> = {}) =>
    createMail({
      name: 'mail',
      host: '127.0.0.1',
      port,
      encryption: 'starttls',
      ca: certificate.cert,
      verify: true,
      username: login.user,
      password: login.pass,
      from: 'umbus@example.com',
      to: ['ops@example.com', 'data@example.com'],
      timeoutMs: 5_000,
      ...more,
    });

  for (const encryption of ['starttls', 'tls'] as const) {
    it(`encrypts with ${encryption}, checks the certificate and logs in`, async () => {
      await using receiver = await startMailReceiver({
        ...certificate,
        login,
        secure: encryption === 'tls',
      });
      await mailTo(receiver.port, { encryption }).send(fullAlarm, signal());
      const [mail] = receiver.mails;
      assert.ok(mail !== undefined);
      assert.deepEqual([mail.encrypted, mail.user, mail.from], [true, 'umbus', 'umbus@example.com']);
      assert.deepEqual(mail.to, ['ops@example.com', 'data@example.com']);
      assert.match(mail.raw, /^Importance: high\r?$/im);
      assert.match(mail.raw, /^References: <schema%3Ashop\.orders@shop\.umbus>\r?$/m);
    });
  }

  it('says nothing to a server whose certificate it does not trust', async () => {
    await using receiver = await startMailReceiver({ ...certificate, login });
    const { code, message } = await refusal(mailTo(receiver.port, { ca: null }).send(fullAlarm, signal()));
    assert.equal(code, 'UMBUS_ALARM_UNREACHABLE');
    assert.match(message, /DEPTH_ZERO_SELF_SIGNED_CERT|ESOCKET|ETLS/);
    assert.equal(receiver.mails.length, 0);
    await mailTo(receiver.port, { ca: null, verify: false }).send(fullAlarm, signal());
    assert.equal(receiver.mails.length, 1);
  });

  it('says nothing to a server that cannot encrypt', async () => {
    await using receiver = await startMailReceiver({ login, disabledCommands: ['STARTTLS'] });
    await refusal(mailTo(receiver.port).send(fullAlarm, signal()));
    assert.equal(receiver.mails.length, 0);
  });

  it('takes a refused login for final, and keeps the password out of the message', async () => {
    await using receiver = await startMailReceiver({ ...certificate, login });
    const { code, message } = await refusal(
      mailTo(receiver.port, { password: 'wrong-password' }).send(fullAlarm, signal()),
    );
    assert.equal(code, 'UMBUS_ALARM_REFUSED');
    assert.match(message, /answered 535 to the login/);
    assert.ok(!message.includes('wrong-password'));
  });

  it('cannot be made to send another mail by what a title holds', async () => {
    await using receiver = await startMailReceiver({ ...certificate, login });
    const title = 'x\r\nBcc: other@example.com\r\n\r\nbody';
    await mailTo(receiver.port).send({ ...fullAlarm, title }, signal());
    const [mail] = receiver.mails;
    assert.deepEqual(mail?.to, ['ops@example.com', 'data@example.com']);
    assert.doesNotMatch(mail?.raw ?? '', /^Bcc:/im);
  });
});
