import { call, http } from '../../api/client';
import type { AccessEntry, Problem } from '../../api/types';

type Absorb = (thrown: unknown) => Problem | null;

/** Who but the owner saw something of a mailbox, or tried to, newest first, as far as it has been read. */
export class AccessHistory {
  entries = $state.raw<AccessEntry[] | null>(null);
  /** where older entries begin; undefined when there are none */
  next = $state.raw<number | undefined>(undefined);
  problem = $state.raw<Problem | null>(null);
  loading = $state(false);

  #account: string;
  #absorb: Absorb;

  constructor(account: string, absorb: Absorb) {
    this.#account = account;
    this.#absorb = absorb;
  }

  /** Reads the newest entries, or those that follow what is shown. Each reading is itself recorded. */
  async load(older = false): Promise<void> {
    if (this.loading) return;
    this.loading = true;
    this.problem = null;
    try {
      const before = older ? this.next : undefined;
      const path = { account: this.#account };
      const params = { path, query: { ...(before !== undefined && { before }) } };
      const page = await call(http.GET('/api/accounts/{account}/access/history', { params }));
      this.entries = older ? [...(this.entries ?? []), ...page.entries] : page.entries;
      this.next = page.next;
    } catch (thrown) {
      this.problem = this.#absorb(thrown);
    } finally {
      this.loading = false;
    }
  }
}
