import { SvelteSet } from 'svelte/reactivity';
import type { Conversation, Message, Problem } from '../api/types';
import { applyLabels, type LabelChange } from './changes';

type Fetch = (thread: string) => Promise<Conversation>;
type Absorb = (thrown: unknown) => Problem | null;

/** How many conversations stay in memory, so that going back to one is immediate. */
const kept = 12;

/** One conversation that is or was on the screen. */
export class OpenConversation {
  readonly id: string;
  data = $state.raw<Conversation | null>(null);
  problem = $state.raw<Problem | null>(null);
  /** ids of the messages whose body is shown */
  readonly expanded = new SvelteSet<string>();

  #fetch: Fetch;
  #absorb: Absorb;

  constructor(id: string, fetch: Fetch, absorb: Absorb) {
    this.id = id;
    this.#fetch = fetch;
    this.#absorb = absorb;
  }

  async load(): Promise<void> {
    this.problem = null;
    try {
      const before = this.data;
      const data = await this.#fetch(this.id);
      const known = new Set(before?.messages.map((message) => message.id));
      for (const id of expandedAtFirst(data.messages)) if (!known.has(id)) this.expanded.add(id);
      this.data = data;
    } catch (thrown) {
      const problem = this.#absorb(thrown);
      if (!this.data) this.problem = problem;
    }
  }

  toggle(message: string): void {
    if (!this.expanded.delete(message)) this.expanded.add(message);
  }

  /** Shows a change of labels at once. `only` names the messages it concerns, all without it. */
  patch(change: LabelChange, only?: string[]): () => void {
    const before = this.data;
    if (!before) return () => undefined;
    const after: Conversation = {
      ...before,
      labelIds: only ? before.labelIds : applyLabels(before.labelIds, change),
      messages: before.messages.map((message) =>
        only && !only.includes(message.id) ? message : patched(message, change),
      ),
    };
    this.data = after;
    return () => {
      if (this.data === after) this.data = before;
      else void this.load();
    };
  }
}

function patched(message: Message, change: LabelChange): Message {
  const labelIds = applyLabels(message.labelIds, change);
  return { ...message, labelIds, unread: labelIds.includes('UNREAD'), starred: labelIds.includes('STARRED') };
}

/** Unread messages and the last one; a draft shows as a line that opens the composer. */
export function expandedAtFirst(messages: Message[]): string[] {
  const written = messages.filter((message) => !message.draft);
  return written.filter((message, i) => message.unread || i === written.length - 1).map((message) => message.id);
}

export class Conversations {
  #fetch: Fetch;
  #absorb: Absorb;
  #known = new Map<string, OpenConversation>();

  constructor(fetch: Fetch, absorb: Absorb) {
    this.#fetch = fetch;
    this.#absorb = absorb;
  }

  /** The conversation as far as it is known, loading or refreshing it. */
  open(id: string): OpenConversation {
    const conversation = this.#known.get(id) ?? new OpenConversation(id, this.#fetch, this.#absorb);
    this.#known.delete(id);
    this.#known.set(id, conversation);
    for (const old of [...this.#known.keys()].slice(0, -kept)) this.#known.delete(old);
    void conversation.load();
    return conversation;
  }

  known(id: string): OpenConversation | undefined {
    return this.#known.get(id);
  }

  forget(id: string): void {
    this.#known.delete(id);
  }
}
