import { call, http } from '../api/client';
import type { DecisionEvent, Problem } from '../api/types';
import { readFilters, writeFilters, type Filters } from './filters';

/** Events in one request. Each page that is read is itself a decision in the log. */
const pageSize = 100;

/** The decision log as far as it has been read, newest first. */
export class AuditLog {
  filters = $state.raw<Filters>(readFilters(location.search));
  events = $state.raw<DecisionEvent[]>([]);
  next = $state.raw<number | undefined>(undefined);
  loading = $state(false);
  problem = $state.raw<Problem | null>(null);
  chosen = $state.raw<DecisionEvent | null>(null);

  #absorb: (thrown: unknown) => Problem | null;
  #latest = 0;

  constructor(absorb: (thrown: unknown) => Problem | null) {
    this.#absorb = absorb;
  }

  filter(change: Filters): Promise<void> {
    const merged = { ...this.filters, ...change };
    this.filters = Object.fromEntries(
      Object.entries(merged).filter(([, value]) => value !== undefined && value !== ''),
    );
    history.replaceState(history.state, '', `/audit${writeFilters(this.filters)}`);
    return this.load();
  }

  clear(): Promise<void> {
    this.filters = {};
    return this.filter({});
  }

  async load(): Promise<void> {
    this.chosen = null;
    await this.#read((found) => (this.events = found));
  }

  async older(): Promise<void> {
    const before = this.next;
    if (before === undefined || this.loading) return;
    await this.#read((found) => (this.events = [...this.events, ...found]), before);
  }

  async #read(take: (events: DecisionEvent[]) => void, before?: number): Promise<void> {
    const turn = ++this.#latest;
    this.loading = true;
    this.problem = null;
    try {
      const query = { ...this.filters, limit: pageSize, ...(before !== undefined && { before }) };
      const page = await call(http.GET('/api/audit/decisions', { params: { query } }));
      // Filters were changed while this was on its way.
      if (turn !== this.#latest) return;
      take(page.events);
      this.next = page.next;
    } catch (thrown) {
      if (turn === this.#latest) this.problem = this.#absorb(thrown);
    } finally {
      if (turn === this.#latest) this.loading = false;
    }
  }
}
