import { Socket } from 'node:net';
import { type Client, createClient } from 'node-zookeeper-client';
import type { Clock } from '../../ports/clock.ts';
import { Deadline, LOOKS } from '../cell-coordination/deadline.ts';
import { SessionOver } from './errors.ts';

/** The client waits up to so long before it tries the servers again. */
const SPIN_MS = 100;
/** After so many looks without an answer the connection is made anew at each: the library waits for ever for a server that took it and says nothing. */
const LOOKS_TO_RECONNECT = 3;
/** How long the close of a session waits for the server's answer. */
const CLOSE_MS = 1_000;

/** What a session tells its connection. */
export interface SessionListener {
  /** There is a connection, for the first time or again: what was watched may have changed meanwhile. */
  connected(): void;
}

/** Answers a request of the client. */
export type Answer<T> = (error: unknown, result: T) => void;

/**
 * A session on the server, as long as it can be proven. The server ends it when it has heard nothing for the session timeout; here it ends when no answer has come to
 * what was sent in the last two thirds of that, and whatever was in flight then is given up. The client library never notices a server that has fallen silent, keeps requests
 * for ever that it could not send, and does not come back after its session has expired: so every request, the pings and the end are watched here.
 */
export class Session {
  readonly #client: Client;
  readonly #clock: Clock;
  readonly #listener: SessionListener;
  readonly #over = new AbortController();
  readonly #pending = new Set<(error: Error) => void>();
  readonly #ready = Promise.withResolvers<void>();
  #timeoutMs: number;
  #deadline: Deadline;
  #pinging = false;
  #wasReady = false;

  constructor(servers: readonly string[], timeoutMs: number, clock: Clock, listener: SessionListener) {
    this.#clock = clock;
    this.#listener = listener;
    this.#timeoutMs = timeoutMs;
    this.#deadline = new Deadline(clock, timeoutMs);
    this.#ready.promise.catch(() => {});
    this.#client = createClient(servers.join(','), {
      sessionTimeout: timeoutMs,
      spinDelay: SPIN_MS,
      retries: 0,
    });
    this.#client.on('connected', () => this.#connected());
    this.#client.on('expired', () => this.end('the server has ended the session'));
    this.#client.on('authenticationFailed', () => this.end('the server refused the login'));
    this.#client.connect();
    void this.#watch();
  }

  /** Aborted when the session can no longer be proven; the reason is a {@link SessionOver}. */
  get over(): AbortSignal {
    return this.#over.signal;
  }

  /** Resolves when the session has been made; rejects when it ends before. */
  get ready(): Promise<void> {
    return this.#ready.promise;
  }

  /** Whether it was made. */
  get wasReady(): boolean {
    return this.#wasReady;
  }

  /** Sends a request. Rejects with the server's refusal, or with {@link SessionOver} when the session ends before the answer. */
  call<T>(send: (client: Client, answer: Answer<T>) => void): Promise<T> {
    return new Promise((resolve, reject) => {
      if (this.#over.signal.aborted) {
        reject(this.#over.signal.reason);
        return;
      }
      const giveUp = (error: Error): void => {
        this.#pending.delete(giveUp);
        reject(error);
      };
      this.#pending.add(giveUp);
      send(this.#client, (error, result) => {
        this.#pending.delete(giveUp);
        if (error === null || error === undefined) resolve(result);
        else reject(error);
      });
    });
  }

  /** Gives the session up without telling the server, which ends it in its own time. */
  end(why: string): void {
    if (this.#over.signal.aborted) return;
    this.#finish(why);
    void this.#cut();
  }

  /** Ends the session on the server, so that what it holds is free at once. Never throws. */
  async close(): Promise<void> {
    if (this.#over.signal.aborted) return;
    const timer = new AbortController();
    let answered = false;
    this.#client.once('disconnected', () => {
      answered = true;
      timer.abort();
    });
    this.#client.close();
    if (this.#wasReady) await this.#clock.sleep(CLOSE_MS, timer.signal);
    this.#finish('it was closed');
    if (!answered) await this.#cut();
  }

  #finish(why: string): void {
    const error = new SessionOver(why);
    this.#over.abort(error);
    this.#ready.reject(error);
    for (const giveUp of [...this.#pending]) giveUp(error);
  }

  #connected(): void {
    if (this.#over.signal.aborted) return;
    // The server may grant another timeout than was asked for.
    const grantedMs = this.#client.getSessionTimeout();
    if (grantedMs !== this.#timeoutMs) {
      this.#timeoutMs = grantedMs;
      this.#deadline = new Deadline(this.#clock, grantedMs);
    }
    this.#wasReady = true;
    this.#ready.resolve();
    this.#listener.connected();
  }

  async #watch(): Promise<void> {
    const { signal } = this.#over;
    while (!signal.aborted) {
      await this.#clock.sleep(this.#timeoutMs / LOOKS, signal);
      if (signal.aborted) return;
      this.#deadline.looks += 1;
      if (this.#deadline.passed) this.end('no server has answered in time');
      else if (this.#wasReady && !this.#pinging) void this.#ping();
      if (this.#deadline.looks >= LOOKS_TO_RECONNECT) socketOf(this.#client)?.destroy();
    }
  }

  async #ping(): Promise<void> {
    this.#pinging = true;
    const deadline = this.#deadline;
    const sinceMs = this.#clock.now();
    const looksBefore = deadline.looks;
    try {
      await this.call((client, answer) => client.exists('/', answer));
      deadline.renewed(sinceMs, deadline.looks - looksBefore);
    } catch {
      // The next look tries again, until the deadline.
    }
    this.#pinging = false;
  }

  /** The library closes only what answers. The socket goes first, so that the server is not told; a connection that the library is about to make is cut once it has been made. */
  async #cut(): Promise<void> {
    socketOf(this.#client)?.destroy();
    this.#client.close();
    await this.#clock.sleep(2 * SPIN_MS);
    socketOf(this.#client)?.destroy();
  }
}

/** The library does not give its socket away. */
function socketOf(client: Client): Socket | null {
  const connection: unknown = Reflect.get(client, 'connectionManager');
  const socket: unknown =
    typeof connection === 'object' && connection !== null ? Reflect.get(connection, 'socket') : null;
  return socket instanceof Socket ? socket : null;
}
