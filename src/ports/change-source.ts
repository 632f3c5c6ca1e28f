/**
 * A source of raw change bytes: a MySQL or MariaDB server that ships its binlog. The adapter connects, authenticates, asks for the
 * dump and hands over the bytes of the wire; framing, checks and meaning belong to the stage (`src/stages/extract`). Every adapter
 * passes test/conformance/change-source.ts.
 */

/** Which server this is, as far as it tells. */
export interface ServerIdentity {
  readonly flavor: 'mysql' | 'mariadb';
  /** For example `10.11.19-MariaDB-log`. */
  readonly version: string;
  /** server_uuid (MySQL), server_uid (MariaDB where it has one), else `server-id:<n>`. */
  readonly id: string;
}

/** Where to go on: a transaction start. */
export interface ResumePoint {
  readonly file: string;
  readonly position: number;
  /** GTID set executed before that point in the server's own text form; '' when unknown or unused. */
  readonly gtid: string;
}

/** Where a line starts when it has read nothing yet. */
export type StartPoint =
  | 'now'
  | 'earliest'
  | { readonly file: string; readonly position: number }
  | { readonly gtid: string };

/** Where to begin: anew, or after what the line's own tail says. */
export type OpenFrom =
  | { readonly kind: 'start'; readonly at: StartPoint }
  | { readonly kind: 'resume'; readonly server: string; readonly at: ResumePoint };

/** A dump in progress. */
export interface ChangeConnection extends AsyncDisposable {
  readonly server: ServerIdentity;
  /**
   * Where the server was asked to begin. On a file:position dump this is a transaction start. On a dump by GTID the file is '': the
   * artificial ROTATE that comes first names it.
   */
  readonly from: ResumePoint;
  /**
   * True when `server.id` differs from the resumed one, or its binlog files are numbered anew, and history continues by GTID: the
   * epoch grows.
   */
  readonly switched: boolean;
  /**
   * The next bytes of the wire: MySQL protocol packets, cut anywhere. The socket is paused while more than a bounded number
   * of bytes waits to be read. Null when the server ended the dump or the connection is cut (open anew).
   * The buffer is the reader's until the next call. Errors: UMBUS_SOURCE_*.
   */
  read(): Promise<Uint8Array | null>;
  /** Bytes that `read` would give without waiting. */
  readonly buffered: number;
  /** Whether table maps that the server writes now name their columns: `binlog_row_metadata` is FULL. */
  readonly named: boolean;
}

/** Which tables are to be described: all of the schemas, and one whether it is listed there or not. */
export interface DescribeRequest {
  readonly schemas: readonly string[];
  readonly also: { readonly schema: string; readonly table: string } | null;
}

/** A table as its server describes it. */
export interface DescribedTable {
  readonly schema: string;
  readonly table: string;
  /** What SHOW CREATE TABLE prints; null when the server does not show it. */
  readonly sql: string | null;
}

/** Tables as their server described them, one by one, each under a lock that no definition of it runs through. */
export interface DescribedTables {
  readonly tables: readonly DescribedTable[];
  readonly schemas: readonly { readonly schema: string; readonly charset: string }[];
  /** The end of the binlog after all was read: what is not in it by then, no table shows. */
  readonly end: { readonly file: string; readonly position: number };
}

export interface ChangeSource {
  /**
   * Connects and asks for the dump. Errors: UMBUS_SOURCE_UNREACHABLE (retryable), UMBUS_SOURCE_AUTH, UMBUS_SOURCE_GRANT, UMBUS_SOURCE_SETTING,
   * UMBUS_SOURCE_POSITION_GONE (says what is gone: never a silent jump), UMBUS_SOURCE_IDENTITY, UMBUS_SOURCE_SERVER_ID.
   */
  open(from: OpenFrom, signal: AbortSignal): Promise<ChangeConnection>;
  /** Asks for the definitions of tables. Errors: UMBUS_SOURCE_UNREACHABLE (retryable), UMBUS_SOURCE_AUTH, UMBUS_SOURCE_GRANT, UMBUS_SOURCE_SETTING. */
  describe(request: DescribeRequest, signal: AbortSignal): Promise<DescribedTables>;
}
