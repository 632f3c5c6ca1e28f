import { Buffer } from 'node:buffer';
import { ColumnType } from '../binlog/column-type.ts';
import { compileRows, type RowWriter } from '../binlog/rows/compile.ts';
import { parseTableMap } from '../binlog/table-map.ts';
import type { ColumnMap, TableMap } from '../binlog/table-map-types.ts';
import { pageTableMap } from '../change/pull-page.ts';
import type { RawTable } from '../change/raw-run.ts';
import { tableSchema } from '../change/table-schema.ts';
import { fitTableMap } from '../columns/fit-table-map.ts';
import { descriptionOf, descriptionText } from '../columns/table-columns.ts';
import { type MaskRules, NO_MASKS } from '../masking/mask-spec.ts';
import { maskPlan } from '../masking/row-mask.ts';
import { dataHeader } from '../ums/message.ts';
import { type LogicalName, namespaceOf, OWN_NAME, publishedName } from '../ums/namespace.ts';
import type { TableSchema } from '../ums/table-schema.ts';
import type { UmsNextVersion } from '../ums/types.ts';
import type { Zone } from '../ums/zone.ts';
import { type GivenColumns, unknownColumns } from './append-given.ts';
import { keyedBy, type MaskedState, maskedState } from './append-masked.ts';
import { type VersionColumn, versionColumns } from './append-state.ts';

/** Decoders kept; the one that came first makes room. */
const KEPT = 4096;

/** What the messages of a table say of its version: as its state has it. */
export interface MessageVersion {
  readonly version: number;
  readonly innerVersion: number;
  /** Number of the latest full pull; default 0. */
  readonly batch?: number;
}

/** A table's decoder, and what its messages begin with. */
export interface TableDecoder {
  readonly writer: RowWriter;
  /** As hex. */
  readonly fingerprint: string;
  readonly columns: readonly VersionColumn[];
  /** Columns of UMS type `long` with values beyond a signed 64-bit integer. */
  readonly wide: readonly string[];
  /** What masks the rows; null for nothing. */
  readonly masked: MaskedState | null;
  /** What tells its rows apart ({@link keyedBy}). */
  readonly keyedBy: string;
  readonly schema: TableSchema;
  /** The start of a message of a version and a batch; `initial`: with rows of a full pull. */
  header(version: MessageVersion, initial?: boolean): { readonly namespace: string; readonly bytes: Buffer };
}

/** Decoders by the fingerprint of their table map. Holds nothing that depends on what was decoded before. */
export class DecoderCache {
  readonly #ds: string;
  readonly #zone: Zone;
  readonly #marks: (schema: string) => boolean;
  readonly #logical: LogicalName;
  readonly #kept = new Map<string, TableDecoder>();
  #masks: MaskRules = NO_MASKS;

  constructor(
    ds: string,
    zone: Zone,
    marks: (schema: string) => boolean = () => true,
    logical: LogicalName = OWN_NAME,
  ) {
    this.#ds = ds;
    this.#marks = marks;
    this.#logical = logical;
    this.#zone = zone;
  }

  /** Puts masks in force, between two records. */
  use(masks: MaskRules): void {
    if (this.#masks === masks) return;
    this.#masks = masks;
    this.#kept.clear();
  }

  /**
   * The decoder of a table. `given`: its columns, where the run does not know them; null when nobody gave any. Errors: those of `parseTableMap`, `compileRows` and `maskPlan`; UMBUS_BINLOG_COLUMNS
   * when nobody knows its columns, or those given do not fit.
   */
  of(table: RawTable, given: GivenColumns | null = null): TableDecoder {
    const hex = Buffer.from(table.fingerprint).toString('hex');
    // The run's fingerprint covers what is not known, not what was given for it.
    const fingerprint = given === null ? hex : `${hex} given ${given.epoch}`;
    const key = given === null ? hex : `${fingerprint} ${descriptionText(given.columns)}`;
    const known = this.#kept.get(key);
    if (known !== undefined) return known;
    return this.#keep(key, this.#make(table, fingerprint, wholeMap(table, given)));
  }

  /** The decoder of a table's pages of a full pull. Errors: those of `compileRows`. */
  ofPage(table: RawTable): TableDecoder {
    const fingerprint = `page ${Buffer.from(table.fingerprint).toString('hex')}`;
    const known = this.#kept.get(fingerprint);
    if (known !== undefined) return known;
    return this.#keep(fingerprint, this.#make(table, fingerprint, pageTableMap(table)));
  }

  #keep(fingerprint: string, decoder: TableDecoder): TableDecoder {
    if (this.#kept.size >= KEPT) {
      for (const first of this.#kept.keys()) {
        this.#kept.delete(first);
        break;
      }
    }
    this.#kept.set(fingerprint, decoder);
    return decoder;
  }

  #make(table: RawTable, fingerprint: string, map: TableMap): TableDecoder {
    const name = `${table.schema}.${table.table}`;
    const masks = this.#masks.of(table.schema, table.table);
    const writer = compileRows(map, {
      zone: this.#zone,
      marks: this.#marks(table.schema),
      ...(masks !== null && { mask: (fields, primaryKey) => maskPlan(masks, name, fields, primaryKey) }),
    });
    const ds = this.#ds;
    const published = publishedName(this.#logical, table);
    let made: (MessageVersion & { initial: boolean; namespace: string; bytes: Buffer }) | null = null;
    const masked = maskedState(this.#masks.revision, masks, writer.fields);
    return {
      writer,
      fingerprint,
      columns: versionColumns(writer.fields),
      masked,
      keyedBy: keyedBy(masked, writer.primaryKey),
      wide: wideColumns(map),
      schema: tableSchema(map, writer, masked?.columns),
      header({ version, innerVersion, batch = 0 }, initial = false) {
        if (
          made?.version !== version ||
          made.innerVersion !== innerVersion ||
          made.batch !== batch ||
          made.initial !== initial
        ) {
          const namespace = namespaceOf(ds, published, version);
          const kind = { type: initial ? 'data_initial_data' : 'data_increment_data', id: batch } as const;
          const bytes = dataHeader(namespace, writer.fields, writer.primaryKey, kind, innerVersion);
          made = { version, innerVersion, batch, initial, namespace, bytes };
        }
        return made;
      },
    };
  }
}

/** The table map with what is known beside it. */
function wholeMap(table: RawTable, given: GivenColumns | null): TableMap {
  const map = parseTableMap(table.map);
  if (table.columns === '') return map;
  const described = descriptionOf(table.columns);
  if (!('unknown' in described)) return fitTableMap(map, described);
  if (given !== null) return fitTableMap(map, given.columns);
  throw unknownColumns(table, described.unknown);
}

function wideColumns(map: TableMap): readonly string[] {
  return map.columns.filter(isWide).flatMap(({ name }) => name ?? []);
}

/** BIT keeps its length as bytes in the high byte of its metadata and bits in the low one. */
function isWide({ type, unsigned, meta }: ColumnMap): boolean {
  if (type === ColumnType.BIT) return (meta >> 8) * 8 + (meta & 0xff) === 64;
  return type === ColumnType.LONGLONG && unsigned === true;
}

/** What a termination says of the version that begins with a decoder. */
export function nextVersion({ writer: { fields, primaryKey } }: TableDecoder): UmsNextVersion {
  return primaryKey.length === 0 ? { fields } : { fields, primaryKey };
}
