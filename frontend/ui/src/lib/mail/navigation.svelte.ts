import { untrack } from 'svelte';
import type { ThreadRow } from '../api/types';
import type { Router } from '../state/router.svelte';
import { sourceKey, type Source } from './changes';
import type { OpenConversation } from './conversations.svelte';
import type { Mailbox } from './mailbox.svelte';
import { sourceOf, trailOf } from './sources';
import type { ThreadList } from './thread-list.svelte';
import type { VerbName } from './verbs';

/** What the mailbox screen shows, by its address, and the ways between its parts. Make it while a component is set up. */
export class Navigation {
  list = $state.raw<ThreadList | null>(null);
  conversation = $state.raw<OpenConversation | null>(null);
  /** the open label picker: what it is for, and for which conversations */
  picker = $state.raw<{ kind: 'label' | 'move'; rows: ThreadRow[] } | null>(null);

  #mailbox: Mailbox;
  #router: Router;
  /** unread messages that were marked read once already: a refusal must not be repeated for ever */
  #marked = new Set<string>();

  constructor(mailbox: Mailbox, router: Router) {
    this.#mailbox = mailbox;
    this.#router = router;
    $effect.pre(() => {
      const { route, trail } = router;
      untrack(() => this.#arrive(sourceOf(route, trail), route.page === 'thread' ? route.thread : null));
    });
    $effect(() => this.#markRead());
  }

  get query(): string {
    const source = this.list?.source;
    return source?.kind === 'search' ? source.query : '';
  }

  /** The label whose list is shown; null for a search. */
  get label(): string | null {
    const source = this.list?.source;
    return source?.kind === 'label' ? source.label : null;
  }

  /** The conversations that an action concerns: the open one, else the chosen ones, else the one under the cursor. */
  get targets(): ThreadRow[] {
    if (this.conversation) {
      const row = this.#mailbox.rowOf(this.conversation);
      return row ? [row] : [];
    }
    const { list } = this;
    if (!list) return [];
    if (list.chosen.length > 0) return list.chosen;
    const row = list.rows[list.cursor];
    return row ? [row] : [];
  }

  toLabel(label: string): void {
    this.#router.go({ page: 'label', account: this.#mailbox.account.id, label });
  }

  search(query: string): void {
    const account = this.#mailbox.account.id;
    if (query.trim()) this.#router.go({ page: 'search', account }, { query: query.trim() });
    else this.toLabel('INBOX');
  }

  open(row: ThreadRow, { replace = false } = {}): void {
    const { list } = this;
    if (!list) return;
    list.moveToThread(row.id);
    const trail = trailOf(list.source);
    this.#router.go({ page: 'thread', account: this.#mailbox.account.id, thread: row.id }, trail, { replace });
  }

  /** From a conversation to the list it was opened from. */
  back(): void {
    const source = this.list?.source;
    const account = this.#mailbox.account.id;
    if (!source || !this.conversation) return;
    if (source.kind === 'search') this.#router.go({ page: 'search', account }, { query: source.query });
    else this.#router.go({ page: 'label', account, label: source.label });
  }

  /** The conversation beside the open one: -1 newer, +1 older. */
  neighbour(step: 1 | -1): ThreadRow | undefined {
    const at = this.list?.rows.findIndex(({ id }) => id === this.conversation?.id) ?? -1;
    return at < 0 ? undefined : this.list?.rows[at + step];
  }

  /** Moves the cursor, or on to the next conversation when one is open. */
  step(step: 1 | -1): void {
    const { list } = this;
    if (!list) return;
    if (this.conversation) {
      const row = this.neighbour(step);
      if (row) this.open(row, { replace: true });
    } else list.moveTo(list.cursor < 0 ? 0 : list.cursor + step);
    if (list.cursor >= list.rows.length - 5) void list.loadMore();
  }

  /** Does something to the targets; a conversation that leaves its list, or becomes unread, is closed. */
  act(name: VerbName, rows: ThreadRow[] = this.targets): void {
    if (name === 'archive' || name === 'trash' || name === 'spam' || name === 'unread') this.leave();
    if (name === 'unread') for (const row of rows) this.#marked.add(row.messageId);
    void this.#mailbox.act(name, rows);
  }

  /** Closes the conversation, if one is open. */
  leave(): void {
    if (this.conversation) this.back();
  }

  /** Does something to the open conversation and goes on to the one beside it, or back to the list at its end. */
  actAndStep(name: VerbName, step: 1 | -1): void {
    const rows = this.targets;
    const next = this.neighbour(step);
    if (next) this.open(next, { replace: true });
    else this.back();
    void this.#mailbox.act(name, rows);
  }

  /** Opens the label picker for the targets. */
  pick(kind: 'label' | 'move'): void {
    const rows = this.targets;
    if (rows.length > 0) this.picker = { kind, rows };
  }

  #arrive(source: Source, thread: string | null): void {
    if (!this.list || sourceKey(this.list.source) !== sourceKey(source)) {
      this.list?.selected.clear();
      this.list = this.#mailbox.list(source);
    }
    if (thread === this.conversation?.id) return;
    this.conversation = thread ? this.#mailbox.conversations.open(thread) : null;
    this.#marked.clear();
    if (thread) this.list.moveToThread(thread);
  }

  /** What is on the screen is read. */
  #markRead(): void {
    const { conversation } = this;
    const unread =
      conversation?.data?.messages.filter((message) => message.unread && !this.#marked.has(message.id)) ?? [];
    if (!conversation || unread.length === 0 || document.visibilityState === 'hidden') return;
    for (const message of unread) this.#marked.add(message.id);
    untrack(() => void this.#mailbox.markRead(conversation));
  }
}
