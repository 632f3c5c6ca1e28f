import type { StartPoint } from '../ports/change-source.ts';

/** A data line, resolved: every default filled in, every secret read. Frozen. Made by `loadLine` from a YAML file. */
export interface Line {
  /** Name of the data source: letters, digits, `_` and `-`. */
  readonly ds: string;
  readonly source: {
    readonly kind: 'mysql';
    readonly host: string;
    readonly port: number;
    readonly user: string;
    readonly password: string;
    /** Replica server id that the extractor registers with; unique among the server's replicas. */
    readonly serverId: number;
    /** Null: no TLS. `ca`, `cert` and `key` are PEM texts, not paths; null where not given. */
    readonly tls: {
      readonly ca: string | null;
      readonly cert: string | null;
      readonly key: string | null;
      readonly verify: boolean;
    } | null;
    readonly start: StartPoint;
  };
  /** By schema name, exactly as the server writes it. */
  readonly schemas: Readonly<Record<string, LineSchema>>;
  /** `dir` is absolute. */
  readonly log: { readonly kind: 'embedded'; readonly dir: string; readonly maxBytes: number };
  readonly topics: {
    /** Partitions of each `<ds>.<schema>` and its result topic. */
    readonly partitions: number;
    readonly retentionMs: number | null;
    /** Per partition. */
    readonly retentionBytes: number | null;
  };
  readonly extractor: {
    /** A run is closed at this size. */
    readonly runBytes: number;
  };
  readonly appender: {
    readonly maxRows: number;
    readonly maxBytes: number;
    /** IANA name or `UTC`; the zone of `ums_ts_` and of TIMESTAMP columns. */
    readonly timeZone: string;
  };
}

export interface LineSchema {
  /** Patterns with `*` and `?`; a table is subscribed when one of `tables` and none of `exclude` matches. */
  readonly tables: readonly string[];
  readonly exclude: readonly string[];
  /** Patterns of tables whose updates carry a `b` row. */
  readonly beforeImage: readonly string[];
}
