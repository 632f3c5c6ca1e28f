/** Thresholds of the rules. */
export interface RuleSettings {
  readonly ds: string;
  /** How often the rules are asked: what must last is seen twice at least. */
  readonly everyMs: number;
  /** From which delay on a table (`schema.table`), a schema, or the line ('') is late now; null: never. */
  readonly lateMs: (subject: string, nowMs: number) => number | null;
  /** Alarm when a full pull has shown nothing for so long; null: never. */
  readonly pullIdleMs: number | null;
  /** Alarm when the source keeps unread binlog for less than this. */
  readonly purgeMs: number;
  /** Alarm from this percentage of an embedded log's bound on. */
  readonly logPercent: number;
  /** Alarm when the disk of an embedded log has less room than this. */
  readonly diskFreeBytes: number;
}
