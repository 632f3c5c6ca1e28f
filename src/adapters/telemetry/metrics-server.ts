import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { messageOf, UmbusError } from '../../core/errors.ts';
import type { Metrics } from '../../ports/metrics.ts';

/** Whether the process does its work, and what it says of that. `facts` is told as JSON and holds no secrets. */
export interface Health {
  readonly ok: boolean;
  readonly facts: Readonly<Record<string, unknown>>;
}

/** What the server tells. */
export interface MetricsServerOptions {
  /** Where it listens; port 0 takes a free one. */
  readonly host: string;
  readonly port: number;
  readonly metrics: Metrics;
  /** Alive: not ok when only a new start helps. */
  readonly live: () => Health;
  /** Ready: the topologies run. */
  readonly ready: () => Health;
}

/** A server of metrics. */
export interface MetricsServer extends AsyncDisposable {
  /** Where it listens, such as `http://127.0.0.1:9464`. */
  readonly url: string;
}

/** A request may take so long, whoever sends it; what it asks for is small. */
const REQUEST_MS = 10_000;
const HEADER_BYTES_MAX = 8 * 1024;
const CONNECTIONS_MAX = 64;

interface Answer {
  readonly status: number;
  readonly contentType: string;
  readonly text: string;
}

/**
 * Serves `/metrics` in the text format of Prometheus, and `/healthz` and `/readyz` as JSON: 200, or 503 when not. Errors: UMBUS_METRICS_LISTEN when the address cannot be
 * listened at.
 */
export async function startMetricsServer(options: MetricsServerOptions): Promise<MetricsServer> {
  const { host, port } = options;
  const server = createServer(
    { maxHeaderSize: HEADER_BYTES_MAX, requestTimeout: REQUEST_MS, keepAliveTimeout: REQUEST_MS },
    (request, response) => void respond(options, request, response),
  );
  server.maxConnections = CONNECTIONS_MAX;
  await listening(server, host, port);
  // A TCP server that listens has an address.
  const { port: bound } = server.address() as AddressInfo;
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${bound}`,
    [Symbol.asyncDispose]: () =>
      new Promise(resolve => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function listening(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    // On, not once: when a connection cannot be accepted later, the server goes on, and so does the process.
    server.on('error', cause =>
      reject(
        new UmbusError(
          'UMBUS_METRICS_LISTEN',
          `Metrics cannot be served at ${host}:${port}: ${messageOf(cause)}.`,
          { cause, details: { host, port } },
        ),
      ),
    );
    server.listen(port, host, resolve);
  });
}

async function respond(
  options: MetricsServerOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  let answer: Answer;
  try {
    answer = await answerTo(options, request);
  } catch (error) {
    // A fault of ours; whoever scrapes sees it as such and the line goes on.
    answer = plain(500, `${messageOf(error)}\n`);
  }
  response.writeHead(answer.status, {
    'content-type': answer.contentType,
    'content-length': Buffer.byteLength(answer.text),
    ...(answer.status === 405 ? { allow: 'GET, HEAD' } : {}),
  });
  response.end(request.method === 'HEAD' ? undefined : answer.text);
}

async function answerTo(options: MetricsServerOptions, request: IncomingMessage): Promise<Answer> {
  if (request.method !== 'GET' && request.method !== 'HEAD') return plain(405, 'Only GET and HEAD.\n');
  const [path] = (request.url ?? '').split('?', 1);
  switch (path) {
    case '/metrics':
      return { status: 200, ...(await options.metrics.exposition()) };
    case '/healthz':
      return healthAnswer(options.live());
    case '/readyz':
      return healthAnswer(options.ready());
    default:
      return plain(404, 'There are /metrics, /healthz and /readyz.\n');
  }
}

function healthAnswer({ ok, facts }: Health): Answer {
  const text = `${JSON.stringify({ ok, ...facts })}\n`;
  return { status: ok ? 200 : 503, contentType: 'application/json; charset=utf-8', text };
}

function plain(status: number, text: string): Answer {
  return { status, contentType: 'text/plain; charset=utf-8', text };
}
