import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createOtlp } from '../../../src/adapters/telemetry/index.ts';
import { type StatMessage, statMessage } from '../../../src/change/stat-message.ts';
import { isUmbusError } from '../../../src/core/errors.ts';
import { statisticPoint } from '../../../src/telemetry/points/statistic-points.ts';
import { beatSpans } from '../../../src/telemetry/traces/beat-spans.ts';
import { startHttpReceiver } from '../../support/http-receiver.ts';

const US = 1_700_000_000_000_000;

function statOf(
  type: StatMessage['type'] = 'HEART_BEAT',
  payload: Partial<StatMessage['payload']> = {},
): StatMessage {
  return statMessage(
    type,
    { ds: 'shop', schema: 'store', table: 'orders' },
    { timeMs: US / 1000, roundMs: US / 1000 },
    { localMicros: US + 9_000, offset: 17, counts: { rows: 5, bytes: 50, errors: 1, warnings: 2 } },
    {
      beat: 3,
      status: 'ok',
      skew: 1_000,
      us: US,
      captured: US + 1_000,
      dispatched: US + 3_000,
      appended: US + 4_000,
      read: US + 9_000,
      ...payload,
    },
  );
}

describe('the trace of a heartbeat', () => {
  it('has a span for each hop within one for the whole way, with the skew taken out', () => {
    const [root, ...hops] = beatSpans(statOf(), 0n);
    assert.deepEqual([root?.name, root?.parentSpanId], ['heartbeat store.orders', null]);
    const start = BigInt(US - 1_000) * 1000n;
    assert.deepEqual([root?.startNanos, root?.endNanos], [start, BigInt(US + 9_000) * 1000n]);
    assert.deepEqual(
      hops.map(({ name, startNanos, endNanos }) => [
        name,
        Number(startNanos - start) / 1e6,
        Number(endNanos - startNanos) / 1e6,
      ]),
      [
        ['source to extractor', 0, 2],
        ['extractor to dispatcher', 2, 2],
        ['dispatcher to appender', 4, 1],
        ['appender to reader', 5, 5],
      ],
    );
    for (const { traceId, spanId, parentSpanId } of hops) {
      assert.match(traceId, /^[0-9a-f]{32}$/);
      assert.match(spanId, /^[0-9a-f]{16}$/);
      assert.deepEqual([traceId, parentSpanId], [root?.traceId, root?.spanId]);
    }
    assert.equal(new Set(hops.map(({ spanId }) => spanId)).size, 4);
  });

  it('has the same ids whoever makes it, and others for another round or partition', () => {
    assert.deepEqual(beatSpans(statOf(), 0n), beatSpans(statOf(), 0n));
    const ids = [
      beatSpans(statOf(), 0n),
      beatSpans(statOf(), 1n),
      beatSpans(statOf('HEART_BEAT', { beat: 4 }), 0n),
    ];
    assert.equal(new Set(ids.map(([root]) => root?.traceId)).size, 3);
  });

  it('leaves out a hop that did not say when, and lets none end before it began', () => {
    const [, ...hops] = beatSpans(statOf('HEART_BEAT', { dispatched: null, appended: US - 50_000 }), 0n);
    assert.deepEqual(
      hops.map(({ name, startNanos, endNanos }) => [name, endNanos >= startNanos]),
      [
        ['source to extractor', true],
        ['dispatcher to appender', true],
        ['appender to reader', true],
      ],
    );
    assert.deepEqual(beatSpans(statOf('APPENDER_TYPE'), 0n), []);
  });
});

describe('the point of a statistic', () => {
  it('has the tags and fields of DBUS, and the time of the round', () => {
    assert.deepEqual(statisticPoint(statOf('APPENDER_TYPE'), 1_000_004n), {
      measurement: 'dbus_statistic',
      tags: { type: 'APPENDER_TYPE', ds: 'shop', schema: 'shop.store', table: 'shop.store.orders' },
      fields: { count: 5, errorCount: 1, warningCount: 2, latency: 0.01, offset: 17 },
      atNanos: BigInt(US) * 1000n + 4n,
    });
  });
});

describe('OTLP over HTTP', () => {
  it('posts spans as JSON, with 64-bit numbers as text, and the headers that are asked for', async () => {
    await using http = await startHttpReceiver(response => response.end('{}'));
    const otlp = createOtlp({ url: `${http.url}/`, headers: { 'x-key': 'k' } });
    await otlp.write([]);
    await otlp.write(beatSpans(statOf(), 0n));
    const [request, ...rest] = http.requests;
    assert.deepEqual(
      [request?.method, request?.path, request?.headers['x-key'], rest],
      ['POST', '/v1/traces', 'k', []],
    );
    assert.equal(request?.headers['content-type'], 'application/json');
    const { resourceSpans } = JSON.parse(request?.body ?? '');
    assert.deepEqual(resourceSpans[0].resource.attributes, [
      { key: 'service.name', value: { stringValue: 'umbus' } },
    ]);
    const { spans } = resourceSpans[0].scopeSpans[0];
    assert.equal(spans.length, 5);
    assert.equal(spans[0].startTimeUnixNano, `${US - 1_000}000`);
    assert.ok(!('parentSpanId' in spans[0]) && spans[1].parentSpanId === spans[0].spanId);
    assert.deepEqual(spans[0].attributes.at(-1), { key: 'umbus.rows', value: { intValue: '5' } });
  });

  it('tells what passes from what does not', async () => {
    let status = 200;
    await using http = await startHttpReceiver(response => response.writeHead(status).end());
    const otlp = createOtlp({ url: http.url, headers: {} });
    for (const [answer, code] of [
      [503, 'UMBUS_OTLP_UNREACHABLE'],
      [429, 'UMBUS_OTLP_UNREACHABLE'],
      [400, 'UMBUS_OTLP_REFUSED'],
      [302, 'UMBUS_OTLP_REFUSED'],
    ] as const) {
      status = answer;
      await assert.rejects(otlp.write(beatSpans(statOf(), 0n)), error => isUmbusError(error, code));
    }
    await http.close();
    await assert.rejects(otlp.write(beatSpans(statOf(), 0n)), error =>
      isUmbusError(error, 'UMBUS_OTLP_UNREACHABLE'),
    );
  });
});
