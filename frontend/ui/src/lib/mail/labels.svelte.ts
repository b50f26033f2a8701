import type { Label, Problem, ThreadRow } from '../api/types';
import { applyLabels, type LabelChange } from './changes';
import { labelTree } from './label-tree';

/** The mailbox's labels and their counts. */
export class Labels {
  all = $state.raw<Label[]>([]);
  ready = $state(false);

  readonly byId = $derived(new Map(this.all.map((label) => [label.id, label])));
  readonly tree = $derived(labelTree(this.all));
  /** unread conversations in the inbox */
  readonly unread = $derived(this.byId.get('INBOX')?.threadsUnread ?? this.byId.get('INBOX')?.messagesUnread ?? 0);

  #fetch: () => Promise<Label[]>;
  #absorb: (thrown: unknown) => Problem | null;

  constructor(fetch: () => Promise<Label[]>, absorb: (thrown: unknown) => Problem | null) {
    this.#fetch = fetch;
    this.#absorb = absorb;
  }

  async refresh(): Promise<void> {
    try {
      this.all = await this.#fetch();
      this.ready = true;
    } catch (thrown) {
      // Counts are an extra: the list beside them reports the same failure, once.
      this.#absorb(thrown);
    }
  }

  /**
   * Moves the counts along with a change that is shown before the server knows it, and answers how to move them back.
   * The server's own counts replace both.
   */
  shift(rows: ThreadRow[], change: LabelChange): () => void {
    const delta = new Map<string, number>();
    const bump = (id: string, by: number) => delta.set(id, (delta.get(id) ?? 0) + by);
    for (const row of rows) {
      const after = applyLabels(row.labelIds, change);
      if (row.labelIds.includes('UNREAD')) for (const id of row.labelIds) bump(id, -1);
      if (after.includes('UNREAD')) for (const id of after) bump(id, +1);
    }
    const move = (sign: number) => {
      this.all = this.all.map((label) => {
        const by = (delta.get(label.id) ?? 0) * sign;
        if (by === 0 || label.threadsUnread === undefined) return label;
        return { ...label, threadsUnread: Math.max(0, label.threadsUnread + by) };
      });
    };
    move(+1);
    const moved = this.all;
    return () => {
      // Fresh counts have come in between: they are right already.
      if (this.all === moved) move(-1);
    };
  }
}
