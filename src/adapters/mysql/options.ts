/** Where the source server is and how to log in. Equal in shape to `source` of a data line, plus bounds that have defaults. */
export interface MysqlSourceOptions {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  /** Replica server id to register with; unique among the server's replicas. */
  readonly serverId: number;
  /** Null: no TLS. `ca`, `cert` and `key` are PEM texts. */
  readonly tls: MysqlTls | null;
  /** Time to connect and log in, in milliseconds. Default 10,000. */
  readonly connectTimeoutMs?: number;
  /** How often an idle server sends a heartbeat, in milliseconds. Default 5,000. Three silent periods end the connection. */
  readonly heartbeatMs?: number;
  /** The socket is paused while more bytes than this wait to be read. Default 4 MB. */
  readonly maxBufferedBytes?: number;
}

/** TLS towards the server. */
export interface MysqlTls {
  readonly ca: string | null;
  readonly cert: string | null;
  readonly key: string | null;
  /** False accepts any certificate. */
  readonly verify: boolean;
}

/** What is needed to log in and ask: a source without a replica's identity. */
export type MysqlLogin = Omit<MysqlSourceOptions, 'serverId'>;

/** Default of `connectTimeoutMs`. */
export const CONNECT_TIMEOUT_MS = 10_000;
/** Default of `heartbeatMs`. */
export const HEARTBEAT_MS = 5_000;
/** Default of `maxBufferedBytes`. */
export const MAX_BUFFERED_BYTES = 4 * 1024 * 1024;
