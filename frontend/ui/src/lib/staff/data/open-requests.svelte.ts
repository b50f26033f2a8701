import { call, http } from '../../api/client';
import type { OpenRightsRequest, Problem } from '../../api/types';

type Absorb = (thrown: unknown) => Problem | null;

/** What owners asked about their data and nobody has answered yet. */
export class OpenRequests {
  /** null until they are known */
  all = $state.raw<OpenRightsRequest[] | null>(null);
  problem = $state.raw<Problem | null>(null);

  #absorb: Absorb;

  constructor(absorb: Absorb) {
    this.#absorb = absorb;
  }

  async load(): Promise<void> {
    try {
      this.all = (await call(http.GET('/api/staff/rights-requests'))).requests;
      this.problem = null;
    } catch (thrown) {
      this.problem = this.#absorb(thrown);
    }
  }

  async end(request: string, act: 'answer' | 'refuse'): Promise<void> {
    await call(http.POST('/api/staff/rights-requests/{request}/{act}', { params: { path: { request, act } } }));
    await this.load();
  }
}
