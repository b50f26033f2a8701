import { call, http } from '../../api/client';
import type { Problem, StaffRequest } from '../../api/types';
import { clock } from '../../state/clock.svelte';
import { groupOf, groups } from './states';

type Absorb = (thrown: unknown) => Problem | null;

/** What a new request says, all of it for the owner to read. */
export interface Ask {
  mailbox: string;
  case: string;
  reason: string;
  messages: string[];
  ownerChooses: boolean;
  minutes: number;
}

/** Requests to see messages, as staff see them. Every act answers the request as it then is. */
export class StaffRequests {
  /** null until they are known */
  all = $state.raw<StaffRequest[] | null>(null);
  problem = $state.raw<Problem | null>(null);

  readonly grouped = $derived.by(() => {
    const now = clock.now;
    return groups
      .map(({ id, title }) => ({ id, title, members: (this.all ?? []).filter((each) => groupOf(each, now) === id) }))
      .filter(({ members }) => members.length > 0);
  });

  #absorb: Absorb;

  constructor(absorb: Absorb) {
    this.#absorb = absorb;
  }

  async load(): Promise<void> {
    try {
      this.all = (await call(http.GET('/api/staff/requests'))).requests;
      this.problem = null;
    } catch (thrown) {
      this.problem = this.#absorb(thrown);
    }
  }

  find(id: string): StaffRequest | undefined {
    return this.all?.find((request) => request.id === id);
  }

  async ask(body: Ask): Promise<StaffRequest> {
    return this.#keep(await call(http.POST('/api/staff/requests', { body })));
  }

  async approve(request: string): Promise<void> {
    const params = { path: { request } };
    this.#keep(await call(http.POST('/api/staff/requests/{request}/approve', { params })));
  }

  async decline(request: string, note: string): Promise<void> {
    const params = { path: { request } };
    const body = note ? { note } : {};
    this.#keep(await call(http.POST('/api/staff/requests/{request}/decline', { params, body })));
  }

  async take(request: string, body: { case: string; reason: string }): Promise<void> {
    const params = { path: { request } };
    this.#keep(await call(http.POST('/api/staff/requests/{request}/take', { params, body })));
  }

  async withdraw(request: string): Promise<void> {
    const params = { path: { request } };
    this.#keep(await call(http.POST('/api/staff/requests/{request}/withdraw', { params })));
  }

  async close(request: string): Promise<void> {
    const params = { path: { request } };
    this.#keep(await call(http.POST('/api/staff/requests/{request}/close', { params })));
  }

  #keep(request: StaffRequest): StaffRequest {
    const all = this.all ?? [];
    const at = all.findIndex(({ id }) => id === request.id);
    this.all = at < 0 ? [request, ...all] : all.with(at, request);
    return request;
  }
}
