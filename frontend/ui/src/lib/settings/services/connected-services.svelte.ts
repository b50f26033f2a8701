import { call, http } from '../../api/client';
import type { ConnectedService, Problem } from '../../api/types';

type Absorb = (thrown: unknown) => Problem | null;

/** The operator's other services, and which of them the owner of a mailbox connected. */
export class ConnectedServices {
  /** null until they are known */
  all = $state.raw<ConnectedService[] | null>(null);
  problem = $state.raw<Problem | null>(null);

  #account: string;
  #absorb: Absorb;

  constructor(account: string, absorb: Absorb) {
    this.#account = account;
    this.#absorb = absorb;
  }

  async load(): Promise<void> {
    const params = { path: { account: this.#account } };
    try {
      this.all = (await call(http.GET('/api/accounts/{account}/services', { params }))).services;
      this.problem = null;
    } catch (thrown) {
      this.problem = this.#absorb(thrown);
    }
  }

  /** Records the owner's consent. Answers the service's address to go on to, if it has one. */
  async connect(service: string, state?: string): Promise<string | undefined> {
    const params = { path: { account: this.#account, service } };
    const answer = await call(
      http.POST('/api/accounts/{account}/services/{service}', { params, body: { ...(state && { state }) } }),
    );
    this.all = this.all?.map((known) => (known.id === service ? answer.service : known)) ?? null;
    return answer.redirect;
  }

  /** Takes the consent back. It holds for the service's next call. */
  async disconnect(service: string): Promise<void> {
    const params = { path: { account: this.#account, service } };
    await call(http.DELETE('/api/accounts/{account}/services/{service}', { params }));
    await this.load();
  }
}
