import { SvelteMap } from 'svelte/reactivity';
import { call, http } from '../../api/client';
import { ApiError } from '../../api/problem';
import type { Message } from '../../api/types';

/** What is known of a message that a request names: itself, that it is gone, or nothing yet. */
export type Shown = Message | 'gone' | 'unknown' | undefined;

/**
 * The owner's own messages behind the ids of requests. They are read as the owner reads any message, so that nobody
 * else has to have seen a subject for this page to show it.
 */
export class ShownMessages {
  #account: string;
  #known = new SvelteMap<string, Shown>();
  #asked = new Set<string>();

  constructor(account: string) {
    this.#account = account;
  }

  get(id: string): Shown {
    return this.#known.get(id);
  }

  /** Keeps a message that was read elsewhere. */
  keep(message: Message): void {
    this.#asked.add(message.id);
    this.#known.set(message.id, message);
  }

  load(ids: string[]): void {
    for (const id of ids) {
      if (this.#asked.has(id)) continue;
      this.#asked.add(id);
      void this.#read(id);
    }
  }

  async #read(message: string): Promise<void> {
    const params = { path: { account: this.#account, message } };
    try {
      this.#known.set(message, await call(http.GET('/api/accounts/{account}/messages/{message}', { params })));
    } catch (thrown) {
      const gone = thrown instanceof ApiError && thrown.problem.code === 'not_found';
      this.#known.set(message, gone ? 'gone' : 'unknown');
    }
  }
}
