import type { ThreadRow } from '../api/types';
import { applyToRow, stays, type LabelChange, type Source } from './changes';

interface Entry {
  id: number;
  change: LabelChange;
  /** thread id -> newest message id when the change was made */
  threads: Map<string, string>;
}

/**
 * Changes that are shown before the server has confirmed them. They lie over what the server said, in the order they
 * were made: a refused one is taken off again and nothing else needs to be restored. A confirmed one stays until its
 * undo has passed or the server's own list shows it.
 */
export class Pending {
  #entries = $state.raw<Entry[]>([]);
  #next = 1;

  add(rows: ThreadRow[], change: LabelChange): number {
    const id = this.#next++;
    this.#entries = [...this.#entries, { id, change, threads: new Map(rows.map((row) => [row.id, row.messageId])) }];
    return id;
  }

  /** Takes a change back. */
  drop(id: number): void {
    this.#entries = this.#entries.filter((entry) => entry.id !== id);
  }

  /** The rows as the person should see them. */
  apply(rows: ThreadRow[], source: Source): ThreadRow[] {
    if (this.#entries.length === 0) return rows;
    const shown: ThreadRow[] = [];
    for (const row of rows) {
      const after = this.#one(row, source, this.#entries);
      if (after) shown.push(after);
    }
    return shown;
  }

  /** The rows with one change made for good: what a list keeps when the change is dropped from here. */
  settle(rows: ThreadRow[], source: Source, id: number): ThreadRow[] {
    const entries = this.#entries.filter((entry) => entry.id === id);
    return rows.map((row) => this.#one(row, source, entries)).filter((row) => row !== null);
  }

  #one(row: ThreadRow, source: Source, entries: Entry[]): ThreadRow | null {
    let current = row;
    for (const { threads, change } of entries) {
      const messageId = threads.get(row.id);
      // Something newer has arrived since: the change was made to the older state, the conversation is back.
      if (messageId === undefined || messageId !== row.messageId) continue;
      const next = applyToRow(current, change);
      if (!stays(current, next, source)) return null;
      current = next;
    }
    return current;
  }
}
