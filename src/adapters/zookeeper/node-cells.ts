import { Buffer } from 'node:buffer';
import type { Stat } from 'node-zookeeper-client';
import { byPath, type Cell, type WriteResult } from '../cell-coordination/cell-store.ts';
import type { Connection, Node } from './connection.ts';
import { code, codeOf, passes } from './errors.ts';
import type { Answer } from './session.ts';

/** Below the root, the node that holds leases and members. It is no cell. */
export const OWN_NODE = '.umbus';
/** What a cell's node holds after its removal. The node stays, so that its number of changes, on which a conditional write rests, never starts again. */
const REMOVED = Buffer.from('umbus: removed');

/** Cells as nodes: the path is the node's below a root, and the version is the id of the transaction that changed it last. */
export class NodeCells {
  readonly #connection: Connection;
  readonly #root: string;

  /** `root`: '' for that of the ensemble. */
  constructor(connection: Connection, root: string) {
    this.#connection = connection;
    this.#root = root;
  }

  /** Null when there is none. */
  async read(path: string): Promise<Cell | null> {
    return cellOf(path, await this.#connection.node(this.#nodePath(path)));
  }

  /** All at or below `prefix`, by path. With `watch`, a later change of what was read counts up the connection's revision. */
  async readAll(prefix: string, watch = false): Promise<readonly Cell[]> {
    const cells = await this.#walk(prefix, watch);
    return cells.sort(byPath);
  }

  /** As `CellStore.write`. */
  async write(path: string, value: Uint8Array | null, ifVersion: bigint | null): Promise<WriteResult> {
    const nodePath = this.#nodePath(path);
    const data = value === null ? REMOVED : Buffer.from(value);
    /** Number of changes before an attempt of which nobody knows whether it was done. */
    let doubtful: number | null = null;
    for (;;) {
      const node = await this.#connection.node(nodePath);
      if (node !== null && doubtful !== null && isOwn(node, doubtful, data)) {
        return { done: true, version: node.mzxid };
      }
      const found = cellOf(path, node)?.version ?? 0n;
      if (ifVersion !== null && ifVersion !== found) return { done: false, found };
      if (value === null && found === 0n) return { done: true, version: 0n };
      if (node === null) {
        await this.#connection.ensure(nodePath);
        continue;
      }
      try {
        const version = await this.#set(nodePath, data, node.changes);
        if (version !== null) return { done: true, version };
      } catch (error) {
        if (!passes(error)) throw error;
        doubtful ??= node.changes;
        await this.#connection.pause();
      }
    }
  }

  /** The new version; null when the node has been changed since. */
  async #set(path: string, data: Buffer, changes: number): Promise<bigint | null> {
    try {
      const stat = await this.#connection.once(
        path,
        [code.badVersion, code.noNode],
        (client, answer: Answer<Stat>) => client.setData(path, data, changes, answer),
      );
      return stat.mzxid.readBigInt64BE();
    } catch (error) {
      const found = codeOf(error);
      if (found === code.badVersion || found === code.noNode) return null;
      throw error;
    }
  }

  async #walk(path: string, watch: boolean): Promise<Cell[]> {
    const nodePath = this.#nodePath(path);
    const [node, names] = await Promise.all([
      this.#connection.node(nodePath, watch),
      this.#connection.children(nodePath, watch),
    ]);
    const below = names.filter(name => path !== '' || name !== OWN_NODE);
    const deeper = await Promise.all(
      below.map(name => this.#walk(path === '' ? name : `${path}/${name}`, watch)),
    );
    const own = path === '' ? null : cellOf(path, node);
    return own === null ? deeper.flat() : [own, ...deeper.flat()];
  }

  #nodePath(path: string): string {
    return path === '' ? this.#root || '/' : `${this.#root}/${path}`;
  }
}

/** Whether the node is as the attempt would have left it that found it with so many changes. */
function isOwn(node: Node, changesBefore: number, data: Buffer): boolean {
  return node.changes === changesBefore + 1 && node.data !== null && node.data.equals(data);
}

function cellOf(path: string, node: Node | null): Cell | null {
  if (node === null || node.data === null || node.data.equals(REMOVED)) return null;
  return { path, value: node.data, version: node.mzxid };
}
