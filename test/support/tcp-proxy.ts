import type { Buffer } from 'node:buffer';
import { once } from 'node:events';
import { connect, createServer, type Socket, type Server as TcpServer } from 'node:net';

/** A TCP proxy on 127.0.0.1 whose connections can be cut, and which can fall silent as a broken network does. */
export interface TcpProxy extends AsyncDisposable {
  readonly port: number;
  /** Called with what a client sends before it is passed on. */
  asked: ((bytes: Buffer) => void) | null;
  /** Cuts what is connected; new connections pass. */
  cut(): void;
  /** From now on takes connections and bytes, and passes nothing on. */
  silence(): void;
  /** From now on passes on what clients send, and nothing that comes back. */
  deafen(): void;
  /** Ends the silence: what was connected is cut, and new connections pass. */
  heal(): void;
}

/** Starts a proxy on a free port. */
export async function startTcpProxy(targetPort: number): Promise<TcpProxy> {
  const relay = new Relay(targetPort);
  await relay.listen();
  return relay;
}

class Relay implements TcpProxy {
  asked: TcpProxy['asked'] = null;
  readonly #targetPort: number;
  readonly #server: TcpServer;
  readonly #sockets = new Set<Socket>();
  /** What is not passed on. */
  #held: 'nothing' | 'answers' | 'all' = 'nothing';

  constructor(targetPort: number) {
    this.#targetPort = targetPort;
    this.#server = createServer(client => this.#serve(client));
  }

  get port(): number {
    const address = this.#server.address();
    return address === null || typeof address === 'string' ? 0 : address.port;
  }

  async listen(): Promise<void> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
  }

  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  silence(): void {
    this.#held = 'all';
  }

  deafen(): void {
    this.#held = 'answers';
  }

  heal(): void {
    this.#held = 'nothing';
    this.cut();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #serve(client: Socket): void {
    const server = connect({ port: this.#targetPort, host: '127.0.0.1', noDelay: true });
    client.setNoDelay(true);
    for (const [socket, other] of [
      [client, server],
      [server, client],
    ] as const) {
      this.#sockets.add(socket);
      socket.on('error', () => {});
      socket.on('data', (bytes: Buffer) => {
        if (socket === client) this.asked?.(bytes);
        const held = this.#held === 'all' || (this.#held === 'answers' && socket === server);
        if (!held) other.write(bytes);
      });
      socket.once('close', () => {
        this.#sockets.delete(socket);
        // In silence neither side learns that the other has gone.
        if (this.#held === 'nothing') other.destroy();
      });
    }
  }
}
