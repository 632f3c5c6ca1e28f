import { Buffer } from 'node:buffer';
import { compileRows, type RowWriter } from '../binlog/rows/compile.ts';
import { parseTableMap } from '../binlog/table-map.ts';
import type { RawTable } from '../change/raw-run.ts';
import { dataHeader } from '../ums/message.ts';
import { namespaceOf } from '../ums/namespace.ts';
import type { Zone } from '../ums/zone.ts';
import { type VersionColumn, versionColumns } from './append-state.ts';

/** Decoders kept; the one that came first makes room. */
const KEPT = 4096;

/** A table's decoder, and what its messages begin with. */
export interface TableDecoder {
  readonly writer: RowWriter;
  /** As hex. */
  readonly fingerprint: string;
  readonly columns: readonly VersionColumn[];
  /** The start of a message of a version. */
  header(version: number): { readonly namespace: string; readonly bytes: Buffer };
}

/** Decoders by the fingerprint of their table map. Holds nothing that depends on what was decoded before. */
export class DecoderCache {
  readonly #ds: string;
  readonly #zone: Zone;
  readonly #kept = new Map<string, TableDecoder>();

  constructor(ds: string, zone: Zone) {
    this.#ds = ds;
    this.#zone = zone;
  }

  /** The decoder of a table. Errors: those of `parseTableMap` and `compileRows`. */
  of(table: RawTable): TableDecoder {
    const fingerprint = Buffer.from(table.fingerprint).toString('hex');
    const known = this.#kept.get(fingerprint);
    if (known !== undefined) return known;
    const decoder = this.#make(table, fingerprint);
    if (this.#kept.size >= KEPT) {
      for (const first of this.#kept.keys()) {
        this.#kept.delete(first);
        break;
      }
    }
    this.#kept.set(fingerprint, decoder);
    return decoder;
  }

  #make(table: RawTable, fingerprint: string): TableDecoder {
    const writer = compileRows(parseTableMap(table.map), { zone: this.#zone });
    const ds = this.#ds;
    let made: { version: number; namespace: string; bytes: Buffer } | null = null;
    return {
      writer,
      fingerprint,
      columns: versionColumns(writer.fields),
      header(version) {
        if (made?.version !== version) {
          const namespace = namespaceOf(ds, table, version);
          made = { version, namespace, bytes: dataHeader(namespace, writer.fields, writer.primaryKey) };
        }
        return made;
      },
    };
  }
}
