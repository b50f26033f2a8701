import { SvelteMap } from 'svelte/reactivity';

/** A message in an agreement. */
export interface Agreed {
  id: string;
  /** its attachments too */
  attachments: boolean;
}

/** Messages in one agreement, by the rules: never "all mail", never more than these. */
export const atMost = 10;

/**
 * What an owner has ticked so far: messages one by one, and for each, separately, its attachments. Nothing is ticked
 * for them, except what they offered themselves.
 */
export class Choice {
  #ticked = new SvelteMap<string, boolean>();

  constructor(offered: Agreed[] = []) {
    for (const { id, attachments } of offered) this.#ticked.set(id, attachments);
  }

  get messages(): Agreed[] {
    return [...this.#ticked].map(([id, attachments]) => ({ id, attachments }));
  }

  get full(): boolean {
    return this.#ticked.size >= atMost;
  }

  /** Whether there is anything to agree to. */
  get any(): boolean {
    return this.#ticked.size > 0;
  }

  has(id: string): boolean {
    return this.#ticked.has(id);
  }

  hasAttachments(id: string): boolean {
    return this.#ticked.get(id) ?? false;
  }

  /** Ticks a message, or takes the tick off together with the one for its attachments. */
  set(id: string, ticked: boolean): void {
    if (!ticked) this.#ticked.delete(id);
    else if (!this.has(id) && !this.full) this.#ticked.set(id, false);
  }

  setAttachments(id: string, ticked: boolean): void {
    if (this.has(id)) this.#ticked.set(id, ticked);
  }
}
