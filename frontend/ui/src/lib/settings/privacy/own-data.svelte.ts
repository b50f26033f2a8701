import { call, http } from '../../api/client';
import { asProblem } from '../../api/problem';
import type { ConsentRecord, Problem, Right, RightsRequest, Stored } from '../../api/types';
import { forgetUnsaved } from '../../compose/unsaved';

type Absorb = (thrown: unknown) => Problem | null;

/** What needs a sign-in of the last minutes. */
export type Proven = 'download' | 'delete';

/** What the server keeps of the signed-in person, and what they may do about it. */
export class OwnData {
  /** null until it is known */
  stored = $state.raw<Stored | null>(null);
  consents = $state.raw<ConsentRecord[]>([]);
  requests = $state.raw<RightsRequest[]>([]);
  problem = $state.raw<Problem | null>(null);

  #absorb: Absorb;

  constructor(absorb: Absorb) {
    this.#absorb = absorb;
  }

  async load(): Promise<void> {
    try {
      const [stored, { consents }, { requests }] = await Promise.all([
        call(http.GET('/api/me/stored')),
        call(http.GET('/api/me/consents')),
        call(http.GET('/api/me/rights-requests')),
      ]);
      this.stored = stored;
      this.consents = consents;
      this.requests = requests;
      this.problem = null;
    } catch (thrown) {
      this.problem = this.#absorb(thrown);
    }
  }

  /** Saves the copy as a file, or leaves the page to sign in once more. */
  async download(): Promise<void> {
    await this.#proven('download', async () => {
      const copy = (await call(http.POST('/api/me/download', { parseAs: 'blob' }))) as unknown as Blob;
      const link = document.createElement('a');
      link.href = URL.createObjectURL(copy);
      link.download = `copy-${new Date().toISOString().slice(0, 10)}.json`;
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
      await this.load();
    });
  }

  /** Deletes everything and leaves the page, or leaves it to sign in once more. */
  async remove(): Promise<void> {
    await this.#proven('delete', async () => {
      await call(http.POST('/api/me/delete'));
      await forgetUnsaved();
      location.assign('/');
    });
  }

  async withdraw(account: string): Promise<void> {
    await call(http.POST('/api/accounts/{account}/withdraw', { params: { path: { account } } }));
    await forgetUnsaved();
    location.assign('/');
  }

  async ask(right: Right, california: boolean, note: string): Promise<void> {
    await call(http.POST('/api/me/rights-requests', { body: { right, california, note } }));
    await this.load();
  }

  async #proven(what: Proven, act: () => Promise<void>): Promise<void> {
    try {
      await act();
    } catch (thrown) {
      if (asProblem(thrown).code !== 'step_up_required') throw thrown;
      const { redirect } = await call(http.POST('/api/session/step-up', { body: { for: what } }));
      location.assign(redirect);
    }
  }
}
