import { SvelteSet } from 'svelte/reactivity';
import type { Problem, ThreadPage, ThreadRow } from '../api/types';
import type { Source } from './changes';
import type { Pending } from './pending.svelte';

type Fetch = (source: Source, page?: string) => Promise<ThreadPage>;
/** Answers the problem to be shown here, or null when it is shown elsewhere. */
type Absorb = (thrown: unknown) => Problem | null;

/**
 * Conversations of one label or search: pages as far as they were scrolled to, the selection and the cursor. Gmail's
 * pages are a chain (each names the next), so they load one after another as the end comes into view.
 */
export class ThreadList {
  readonly source: Source;
  phase = $state<'idle' | 'loading' | 'ready' | 'failed'>('idle');
  problem = $state.raw<Problem | null>(null);
  loadingMore = $state(false);
  moreProblem = $state.raw<Problem | null>(null);
  estimate = $state(0);
  /** ids of the chosen conversations */
  readonly selected = new SvelteSet<string>();
  /** rises whenever the cursor is moved on purpose, to be brought into view; a row that slides by itself is not */
  moves = $state(0);
  /** pixels; kept here so that coming back from a conversation finds the same place */
  scrollTop = 0;

  /** the rest is being loaded so that everything can be chosen */
  gathering = $state(false);

  #base = $state.raw<ThreadRow[]>([]);
  #nextPage = $state.raw<string | undefined>(undefined);
  #cursor = $state.raw<{ id: string; index: number } | null>(null);
  #fetch: Fetch;
  #pending: Pending;
  #absorb: Absorb;

  readonly rows = $derived.by(() => this.#pending.apply(this.#base, this.source));
  readonly more = $derived(this.#nextPage !== undefined);
  /** The index of the row that keys act on; -1 when there is none. When its row goes, the one that moved up takes over. */
  readonly cursor = $derived.by(() => {
    if (!this.#cursor || this.rows.length === 0) return -1;
    const { id, index } = this.#cursor;
    const found = this.rows.findIndex((row) => row.id === id);
    return found >= 0 ? found : Math.min(index, this.rows.length - 1);
  });
  readonly chosen = $derived(this.rows.filter((row) => this.selected.has(row.id)));

  constructor(source: Source, fetch: Fetch, pending: Pending, absorb: Absorb) {
    this.source = source;
    this.#fetch = fetch;
    this.#pending = pending;
    this.#absorb = absorb;
  }

  /** Loads the first page, or brings it up to date when there is one. */
  async refresh(): Promise<void> {
    if (this.phase === 'loading') return;
    const first = this.phase !== 'ready';
    if (first) this.phase = 'loading';
    try {
      this.#merge(await this.#fetch(this.source), first);
      this.problem = null;
      this.phase = 'ready';
    } catch (thrown) {
      const problem = this.#absorb(thrown);
      // A list that is there stays there: a failed refresh must not take mail off the screen.
      if (first) this.phase = 'failed';
      this.problem = first ? problem : null;
      if (!first && problem) throw thrown;
    }
  }

  async loadMore(): Promise<void> {
    const page = this.#nextPage;
    if (page === undefined || this.loadingMore || this.moreProblem) return;
    this.loadingMore = true;
    try {
      const answer = await this.#fetch(this.source, page);
      // A refresh may have begun a new chain meanwhile; this page would leave a gap in it.
      if (page !== this.#nextPage) return;
      const known = new Set(this.#base.map((row) => row.id));
      this.#base = [...this.#base, ...answer.threads.filter((row) => !known.has(row.id))];
      this.#nextPage = answer.nextPage;
    } catch (thrown) {
      this.moreProblem = this.#absorb(thrown);
    } finally {
      this.loadingMore = false;
    }
  }

  retryMore(): Promise<void> {
    this.moreProblem = null;
    return this.loadMore();
  }

  moveTo(index: number): ThreadRow | undefined {
    const row = this.rows[Math.max(0, Math.min(index, this.rows.length - 1))];
    if (row) this.moveToThread(row.id);
    return row;
  }

  moveToThread(id: string): void {
    const index = this.rows.findIndex((row) => row.id === id);
    if (index < 0) return;
    this.#cursor = { id, index };
    this.moves += 1;
  }

  toggle(id: string): void {
    if (!this.selected.delete(id)) this.selected.add(id);
  }

  /** Chooses everything between the cursor and a row, as shift-click does. */
  selectThrough(index: number): void {
    const from = this.cursor < 0 ? index : this.cursor;
    for (const row of this.rows.slice(Math.min(from, index), Math.max(from, index) + 1)) this.selected.add(row.id);
  }

  selectAll(): void {
    for (const row of this.rows) this.selected.add(row.id);
  }

  /**
   * Loads the list to its end and chooses all of it, so that the number shown is a count and not Gmail's estimate.
   * Ends early when gathering is set to false or a page fails; what was chosen before stays chosen.
   */
  async selectEverything(): Promise<void> {
    this.gathering = true;
    while (this.gathering && this.more && !this.moreProblem) {
      const before = this.#nextPage;
      await this.loadMore();
      // Another load is under way, from scrolling: wait for it rather than asking in a circle.
      if (this.#nextPage === before && !this.moreProblem) await new Promise((resolve) => setTimeout(resolve, 50));
    }
    if (this.gathering && !this.more) this.selectAll();
    this.gathering = false;
  }

  /** Makes a pending change part of this list, so that it can be dropped from the pending ones. */
  settle(id: number): void {
    this.#base = this.#pending.settle(this.#base, this.source, id);
  }

  #merge(page: ThreadPage, first: boolean): void {
    const merged = first
      ? { rows: page.threads, gap: true }
      : mergeHead(this.#base, page.threads, page.nextPage !== undefined);
    this.#base = merged.rows;
    if (merged.gap) this.#nextPage = page.nextPage;
    this.estimate = page.estimate;
    const ids = new Set(merged.rows.map((row) => row.id));
    for (const id of this.selected) if (!ids.has(id)) this.selected.delete(id);
  }
}

/**
 * Puts a fresh first page in front of the rows known so far. Rows that the page should hold and does not are gone;
 * older ones stay. `gap` says that the page and the old rows do not touch: the old rows are dropped and paging goes
 * on from the fresh page.
 */
export function mergeHead(known: ThreadRow[], head: ThreadRow[], more: boolean): { rows: ThreadRow[]; gap: boolean } {
  const last = head.at(-1);
  if (!more || !last) return { rows: head, gap: true };
  const fresh = new Set(head.map((row) => row.id));
  const touches = known.some((row) => fresh.has(row.id));
  if (!touches) return { rows: head, gap: true };
  const older = known.filter((row) => !fresh.has(row.id) && row.date <= last.date);
  return { rows: [...head, ...older], gap: older.length === 0 };
}
