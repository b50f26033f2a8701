import { call, http } from '../../api/client';
import type { AccessRequest, Problem } from '../../api/types';
import { clock } from '../../state/clock.svelte';
import type { Agreed } from './choice.svelte';
import { byStage } from './stages';

type Absorb = (thrown: unknown) => Problem | null;

/** The requests to see a mailbox's messages, for its owner to answer. */
export class AccessRequests {
  /** null until they are known */
  all = $state.raw<AccessRequest[] | null>(null);
  problem = $state.raw<Problem | null>(null);

  readonly groups = $derived.by(() => byStage(this.all ?? [], clock.now));

  #account: string;
  #absorb: Absorb;

  constructor(account: string, absorb: Absorb) {
    this.#account = account;
    this.#absorb = absorb;
  }

  async load(): Promise<void> {
    try {
      const { requests } = await call(http.GET('/api/access/requests'));
      this.all = requests.filter(({ account }) => account === this.#account);
      this.problem = null;
    } catch (thrown) {
      this.problem = this.#absorb(thrown);
    }
  }

  /** Asks Google for the proof of an agreement: answers the address to go to. Nothing is agreed until Google answers. */
  async agree(request: string, messages: Agreed[]): Promise<string> {
    const params = { path: { request } };
    return (await call(http.POST('/api/access/requests/{request}/agree', { params, body: { messages } }))).redirect;
  }

  async refuse(request: string, note: string): Promise<void> {
    const params = { path: { request } };
    await call(http.POST('/api/access/requests/{request}/refuse', { params, body: noteOf(note) }));
    await this.load();
  }

  /** Takes an agreement or an offer back. It holds for the very next look. */
  async revoke(request: string, note: string): Promise<void> {
    const params = { path: { request } };
    await call(http.POST('/api/access/requests/{request}/revoke', { params, body: noteOf(note) }));
    await this.load();
  }
}

const noteOf = (note: string): { note?: string } => (note.trim() ? { note: note.trim() } : {});
