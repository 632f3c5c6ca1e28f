/**
 * Schemas in a registry with the API of Confluent, over the HTTP client of @kafkajs/confluent-schema-registry. Its class `SchemaRegistry` is not used: it refuses a subject
 * whose compatibility differs from the wanted one instead of setting it, sets it only after the first schema is in, and gives schemas back without the properties
 * that umbus keeps in them.
 */
import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import client from '@kafkajs/confluent-schema-registry/dist/api/index.js';
import { UmbusError } from '../../core/errors.ts';
import type { SchemaCompatibility, SchemaRegistry } from '../../ports/schema-registry.ts';
import { clientFailureOf, type RegistryPlace, registryError } from './registry-failure.ts';

/** How the registry is reached. Secrets stand here in the clear, and in no message. */
export interface RegistryOptions {
  /** Where the API begins; `https:` for TLS. A login in it is not taken. */
  readonly url: string;
  /** Null: no login. */
  readonly username: string | null;
  readonly password: string | null;
  /** PEM texts for `https:`; null where not given. Left out: the system's CAs. */
  readonly tls?: {
    readonly ca: string | null;
    readonly cert: string | null;
    readonly key: string | null;
    readonly verify: boolean;
  };
  /** How long a request may take; default 5,000 ms. It is made up to four times. */
  readonly timeoutMs?: number;
}

const TIMEOUT_MS = 5_000;
/** The client counts in seconds. All members are given: it keeps those of the instance that was made first for whatever a later one leaves out. */
const RETRY = { maxRetryTimeInSecs: 1, initialRetryTimeInSecs: 0.1, factor: 0.2, multiplier: 2, retries: 3 };
const NOT_FOUND = 404;

type Client = ReturnType<typeof client.default>;

type Call = Client['Subject']['register'];

/** Opens a registry. Makes no request. Errors: UMBUS_CONFIG_INVALID for a URL that is none. */
export function openRegistry(options: RegistryOptions): SchemaRegistry & AsyncDisposable {
  return new ConfluentRegistry(options);
}

class ConfluentRegistry implements SchemaRegistry, AsyncDisposable {
  readonly #url: string;
  readonly #client: Client;
  readonly #agent: HttpAgent;
  readonly #timeoutMs: number;
  readonly #ids = new Map<string, Promise<number>>();
  readonly #schemas = new Map<number, Promise<string>>();

  constructor(options: RegistryOptions) {
    const url = urlOf(options.url);
    this.#url = url.href.replace(/\/$/, '');
    this.#timeoutMs = options.timeoutMs ?? TIMEOUT_MS;
    this.#agent = agentOf(url, options);
    const { username, password } = options;
    const timeout = this.#timeoutMs;
    this.#client = client.default({
      host: this.#url,
      clientId: 'umbus',
      agent: this.#agent,
      ...(username !== null && { auth: { username, password: password ?? '' } }),
      retry: {
        ...RETRY,
        // Registering twice is registering once.
        enableRetry: () => true,
        validateRetry: response => response.status() >= 500 || response.status() === 429,
      },
      middlewares: [() => ({ prepareRequest: next => next().then(request => request.enhance({ timeout })) })],
    });
  }

  register(subject: string, schema: string, compatibility?: SchemaCompatibility): Promise<number> {
    return cached(this.#ids, `${subject}\n${schema}`, () => this.#register(subject, schema, compatibility));
  }

  schema(id: number): Promise<string> {
    return cached(this.#schemas, id, () => this.#schema(id));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#agent.destroy();
  }

  async #register(
    subject: string,
    schema: string,
    compatibility: SchemaCompatibility | undefined,
  ): Promise<number> {
    const { Subject } = this.#client;
    const what = `subject ${subject}`;
    // A schema that is there needs no right to write, and no check of what it may follow.
    const known = await this.#ask(Subject.registered, { subject, body: { schema } }, what, 'or-none');
    if (known !== null) return idOf(known, this.#place(what));
    const set = compatibility === undefined || (await this.#setCompatibility(subject, compatibility, what));
    const id = idOf(
      await this.#ask(Subject.register, { subject, body: { schema } }, what),
      this.#place(what),
    );
    // A registry that keeps the setting with the subject has nowhere to put it before there is one.
    if (!set && compatibility !== undefined) await this.#setCompatibility(subject, compatibility, what);
    return id;
  }

  /** False when the subject is not there yet and the registry cannot set it before. */
  async #setCompatibility(
    subject: string,
    compatibility: SchemaCompatibility,
    what: string,
  ): Promise<boolean> {
    const { Subject } = this.#client;
    const config = await this.#ask(Subject.config, { subject }, what, 'or-none');
    const level = isObject(config) ? config['compatibilityLevel'] : null;
    if (typeof level === 'string' && level.toUpperCase() === compatibility) return true;
    const body = { compatibility };
    return (await this.#ask(Subject.updateConfig, { subject, body }, what, 'or-none')) !== null;
  }

  async #schema(id: number): Promise<string> {
    const what = `the schema with id ${id}`;
    const found = await this.#ask(this.#client.Schema.find, { id }, what, 'or-none');
    const schema = isObject(found) ? found['schema'] : null;
    if (typeof schema === 'string') return schema;
    throw new UmbusError(
      'UMBUS_REGISTRY_UNKNOWN_SCHEMA',
      `The schema registry at ${this.#url} knows no schema with id ${id}.`,
      { details: { url: this.#url, schemaId: id } },
    );
  }

  /** The answer of a request; with `or-none`, null when the registry says that it has no such thing. */
  async #ask(
    call: Call,
    parameters: NonNullable<Parameters<Call>[0]>,
    what: string,
    missing?: 'or-none',
  ): Promise<unknown> {
    const place = this.#place(what);
    // The client waits for ever for an answer that is cut off, so there is a limit for all attempts together.
    const limit = AbortSignal.timeout(this.#timeoutMs * (RETRY.retries + 1));
    const request = call(parameters).then(
      response => ({ answer: response.data() }),
      error => ({ failure: clientFailureOf(error) }),
    );
    const result = await Promise.race([request, aborted(limit)]);
    if (result === null) {
      const reason = `no answer within ${this.#timeoutMs * (RETRY.retries + 1)} ms`;
      throw registryError({ status: 0, answered: false, reason }, place);
    }
    if ('answer' in result) return result.answer;
    const { failure } = result;
    if (missing === 'or-none' && failure.status === NOT_FOUND && failure.answered) return null;
    throw registryError(failure, place);
  }

  #place(what: string): RegistryPlace {
    return { url: this.#url, what };
  }
}

/** What is asked for once; a failure is forgotten, so that it can be asked for again. */
function cached<K, V>(cache: Map<K, Promise<V>>, key: K, ask: () => Promise<V>): Promise<V> {
  const known = cache.get(key);
  if (known !== undefined) return known;
  const asked = ask();
  cache.set(key, asked);
  asked.catch(() => cache.delete(key));
  return asked;
}

function idOf(answer: unknown, { url, what }: RegistryPlace): number {
  const id = isObject(answer) ? answer['id'] : null;
  if (typeof id === 'number' && Number.isInteger(id) && id > 0) return id;
  throw new UmbusError(
    'UMBUS_REGISTRY_REFUSED',
    `What answers at ${url} is no schema registry: it gave no id for ${what}.`,
    { details: { url } },
  );
}

function urlOf(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !['http:', 'https:'].includes(url.protocol) || url.username !== '') {
    throw new UmbusError(
      'UMBUS_CONFIG_INVALID',
      'The URL of the schema registry does not begin with http:// or https://, or has a login in it.',
    );
  }
  return url;
}

function agentOf(url: URL, { tls }: RegistryOptions): HttpAgent {
  if (url.protocol === 'http:') return new HttpAgent({ keepAlive: true });
  if (tls === undefined) return new HttpsAgent({ keepAlive: true });
  const { ca, cert, key, verify } = tls;
  return new HttpsAgent({
    keepAlive: true,
    rejectUnauthorized: verify,
    ...(ca !== null && { ca }),
    ...(cert !== null && { cert }),
    ...(key !== null && { key }),
  });
}

function aborted(signal: AbortSignal): Promise<null> {
  return new Promise(resolve => signal.addEventListener('abort', () => resolve(null), { once: true }));
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
