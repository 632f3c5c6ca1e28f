import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { describe, it } from 'node:test';
import {
  createMetrics,
  type Health,
  type MetricsServer,
  startMetricsServer,
} from '../../../src/adapters/telemetry/index.ts';
import { isUmbusError } from '../../../src/core/errors.ts';
import { gathered } from '../../../src/ports/metrics.ts';
import { gauge } from '../../../src/telemetry/metrics/spec.ts';

const level = gauge('umbus_test_level_bytes', 'bytes', 'Level.');

function serve(port = 0, health: Health = { ok: true, facts: {} }): Promise<MetricsServer> {
  const metrics = createMetrics([level], {});
  metrics.gather(() => [gathered(level, {}, 7)]);
  return startMetricsServer({ host: '127.0.0.1', port, metrics, live: () => health, ready: () => health });
}

describe('the server of metrics', () => {
  it('serves metrics and health', async () => {
    await using server = await serve();
    const metrics = await fetch(`${server.url}/metrics?x=1`);
    assert.equal(metrics.status, 200);
    assert.match(metrics.headers.get('content-type') ?? '', /^text\/plain; version=0\.0\.4/);
    assert.match(await metrics.text(), /^umbus_test_level_bytes 7$/m);
    const head = await fetch(`${server.url}/metrics`, { method: 'HEAD' });
    assert.equal(head.status, 200);
    assert.equal(await head.text(), '');
    for (const path of ['/healthz', '/readyz']) {
      const answer = await fetch(server.url + path);
      assert.deepEqual([answer.status, await answer.json()], [200, { ok: true }]);
    }
  });

  it('answers 503 with what is wrong when it is not well', async () => {
    await using server = await serve(0, { ok: false, facts: { failed: ['appender'] } });
    const answer = await fetch(`${server.url}/readyz`);
    assert.deepEqual([answer.status, await answer.json()], [503, { ok: false, failed: ['appender'] }]);
  });

  it('refuses what it does not know', async () => {
    await using server = await serve();
    assert.equal((await fetch(`${server.url}/else`)).status, 404);
    const post = await fetch(`${server.url}/metrics`, { method: 'POST', body: 'x' });
    assert.deepEqual([post.status, post.headers.get('allow')], [405, 'GET, HEAD']);
  });

  it('says where it cannot listen, and frees its port when it is closed', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await new Promise(resolve => taken.once('listening', resolve));
    const address = taken.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    await assert.rejects(
      serve(port),
      error => isUmbusError(error, 'UMBUS_METRICS_LISTEN') && error.message.includes(`127.0.0.1:${port}`),
    );
    await new Promise(resolve => taken.close(resolve));
    for (let time = 0; time < 2; time += 1) await (await serve(port))[Symbol.asyncDispose]();
  });
});
