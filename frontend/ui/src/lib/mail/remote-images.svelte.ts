import { call, http } from '../api/client';
import type { MessageImages, Problem } from '../api/types';

type Absorb = (thrown: unknown) => Problem | null;

/** What one message would load from elsewhere, and the owner's word on it. */
export class RemoteImages {
  /** null until it is known */
  found = $state.raw<MessageImages | null>(null);
  problem = $state.raw<Problem | null>(null);
  busy = $state(false);
  /** counts the changes of the owner's word: the body is made anew for each */
  version = $state(0);

  #path: { account: string; message: string };
  #absorb: Absorb;

  constructor(account: string, message: string, absorb: Absorb) {
    this.#path = { account, message };
    this.#absorb = absorb;
  }

  load(): Promise<void> {
    return this.#attempt(async () => {
      this.found = await call(
        http.GET('/api/accounts/{account}/messages/{message}/images', { params: { path: this.#path } }),
      );
    });
  }

  /** Lets the images of this message load, or those of its sender from now on. */
  permit(whose: 'message' | 'sender'): Promise<void> {
    return this.#attempt(async () => {
      this.found = await call(
        http.POST('/api/accounts/{account}/messages/{message}/images', {
          params: { path: this.#path },
          body: { for: whose },
        }),
      );
      this.version++;
    });
  }

  /** Takes the owner's word back. */
  withdraw(): Promise<void> {
    const permission = this.found?.permission;
    if (!permission) return Promise.resolve();
    return this.#attempt(async () => {
      await call(
        http.DELETE('/api/accounts/{account}/permissions/{permission}', {
          params: { path: { account: this.#path.account, permission } },
        }),
      );
      this.found = await call(
        http.GET('/api/accounts/{account}/messages/{message}/images', { params: { path: this.#path } }),
      );
      this.version++;
    });
  }

  async #attempt(run: () => Promise<void>): Promise<void> {
    this.busy = true;
    try {
      await run();
      this.problem = null;
    } catch (thrown) {
      this.problem = this.#absorb(thrown);
    }
    this.busy = false;
  }
}

/** Says who was kept from learning that the message was opened, "" when nobody was. */
export function keptOut({ trackers, trackedBy }: Pick<MessageImages, 'trackers' | 'trackedBy'>): string {
  if (trackers === 0) return '';
  const named = trackedBy.length > 3 ? [...trackedBy.slice(0, 3), `${trackedBy.length - 3} more`] : trackedBy;
  const count = trackers === 1 ? '1 tracker was kept out' : `${trackers} trackers were kept out`;
  return named.length > 0 ? `${count}: ${named.join(', ')}.` : `${count}.`;
}
