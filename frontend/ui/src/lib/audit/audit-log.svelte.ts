import { call, http } from '../api/client';
import type { AuditSummary, DecisionEvent, Problem, SavedSearch } from '../api/types';
import { auditPath, countable, readFilters, readView, writeFilters, type Filters, type View } from './filters';

/** Events in one request. Each page that is read is itself a decision in the log. */
const pageSize = 100;

/** Events kept on the page while it follows the log. */
const mostLive = 500;

/** The decision log as far as it has been read, newest first, and what else the page knows of it. */
export class AuditLog {
  view = $state.raw<View>(readView(location.search));
  filters = $state.raw<Filters>(readFilters(location.search));
  events = $state.raw<DecisionEvent[]>([]);
  next = $state.raw<number | undefined>(undefined);
  summary = $state.raw<AuditSummary | null>(null);
  searches = $state.raw<SavedSearch[]>([]);
  loading = $state(false);
  live = $state(false);
  problem = $state.raw<Problem | null>(null);
  chosen = $state.raw<DecisionEvent | null>(null);

  #absorb: (thrown: unknown) => Problem | null;
  #latest = 0;
  #stream: EventSource | null = null;

  constructor(absorb: (thrown: unknown) => Problem | null) {
    this.#absorb = absorb;
  }

  filter(change: Filters): Promise<void> {
    const merged = { ...this.filters, ...change };
    return this.show(
      Object.fromEntries(Object.entries(merged).filter(([, value]) => value !== undefined && value !== '')),
    );
  }

  clear(): Promise<void> {
    return this.show({});
  }

  /** Shows the events that pass these filters and no others. */
  async show(filters: Filters): Promise<void> {
    this.filters = filters;
    this.go('events');
    await this.load();
  }

  go(view: View): void {
    this.view = view;
    this.chosen = null;
    if (view !== 'events') this.follow(false);
    history.replaceState(history.state, '', auditPath(view, this.filters));
  }

  async load(): Promise<void> {
    this.chosen = null;
    await Promise.all([this.#read((found) => (this.events = found)), this.#count()]);
    if (this.live) this.follow(true);
  }

  async older(): Promise<void> {
    const before = this.next;
    if (before === undefined || this.loading) return;
    await this.#read((found) => (this.events = [...this.events, ...found]), before);
  }

  /** Adds events as they are logged, or stops doing so. */
  follow(on: boolean): void {
    this.#stream?.close();
    this.#stream = null;
    this.live = on;
    if (!on) return;
    const stream = new EventSource(`/api/audit/stream${writeFilters({ ...this.filters, since: '', until: '' })}`);
    stream.addEventListener('decision', ({ data }: MessageEvent<string>) =>
      this.#arrived(JSON.parse(data) as DecisionEvent),
    );
    stream.addEventListener('closed', () => this.follow(false));
    stream.addEventListener('error', () => stream.readyState === EventSource.CLOSED && this.follow(false));
    this.#stream = stream;
  }

  async loadSearches(): Promise<void> {
    await this.#try(async () => (this.searches = (await call(http.GET('/api/audit/searches'))).searches));
  }

  async saveSearch(name: string): Promise<void> {
    const query = writeFilters(this.filters).slice(1);
    await this.#try(async () => {
      const saved = await call(http.POST('/api/audit/searches', { body: { name, query } }));
      this.searches = [...this.searches, saved];
    });
  }

  async dropSearch(search: string): Promise<void> {
    await this.#try(async () => {
      await call(http.DELETE('/api/audit/searches/{search}', { params: { path: { search } } }));
      this.searches = this.searches.filter(({ id }) => id !== search);
    });
  }

  #arrived(event: DecisionEvent): void {
    if (this.events.some(({ index }) => index === event.index)) return;
    this.events = [event, ...this.events].toSorted((a, b) => b.index - a.index);
    if (this.events.length <= mostLive) return;
    this.events = this.events.slice(0, mostLive);
    this.next = this.events.at(-1)?.index;
  }

  async #count(): Promise<void> {
    if (!countable(this.filters)) {
      this.summary = null;
      return;
    }
    const { purpose, feature, operation, clause, actorKind, since, until } = this.filters;
    const query = Object.fromEntries(
      Object.entries({ purpose, feature, operation, clause, actorKind, since, until }).filter(([, value]) => value),
    );
    await this.#try(async () => (this.summary = await call(http.GET('/api/audit/summary', { params: { query } }))));
  }

  async #try(action: () => Promise<unknown>): Promise<void> {
    try {
      await action();
    } catch (thrown) {
      this.problem = this.#absorb(thrown);
    }
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
