import { call, http } from '../api/client';
import type { Account, LiveChange, OutboxItem, ThreadPage, ThreadRow } from '../api/types';
import { Composers } from '../compose/composers.svelte';
import type { Faults } from '../state/faults.svelte';
import type { Toasts } from '../state/toasts.svelte';
import { Ahead } from './ahead';
import { count } from '../format/size';
import { byEffect, sourceKey, type LabelChange, type Part, type Source } from './changes';
import { Conversations, type OpenConversation } from './conversations.svelte';
import { Labels } from './labels.svelte';
import { LiveUpdates } from './live';
import { Pending } from './pending.svelte';
import { People } from './people';
import { ThreadList } from './thread-list.svelte';
import { inverse, verbs, type Verb, type VerbName } from './verbs';

/** Lists that stay in memory, so that going back to one is immediate. */
const keptLists = 8;
/** Conversations in one request, by the contract. */
const atMost = 100;
/** How long an undo is offered, in milliseconds. */
const undoTime = 10_000;

/** One connected mailbox: everything its screens share. */
export class Mailbox {
  readonly account: Account;
  readonly labels: Labels;
  readonly conversations: Conversations;
  readonly composers: Composers;
  readonly ahead: Ahead;
  readonly people = new People();
  /** false while live updates are interrupted */
  live = $state(true);

  #faults: Faults;
  #toasts: Toasts;
  #pending = new Pending();
  #lists = new Map<string, ThreadList>();
  #updates: LiveUpdates;

  constructor(account: Account, faults: Faults, toasts: Toasts) {
    this.account = account;
    this.#faults = faults;
    this.#toasts = toasts;
    const absorb = (thrown: unknown) => faults.absorb(thrown);
    const path = { account: account.id };
    this.labels = new Labels(
      async () => (await call(http.GET('/api/accounts/{account}/labels', { params: { path } }))).labels,
      absorb,
    );
    this.conversations = new Conversations(
      (thread) => call(http.GET('/api/accounts/{account}/threads/{thread}', { params: { path: { ...path, thread } } })),
      absorb,
    );
    this.ahead = new Ahead((thread) =>
      http.POST('/api/accounts/{account}/threads/{thread}/prefetch', { params: { path: { ...path, thread } } }),
    );
    this.composers = new Composers(account, faults, toasts, () => void this.refreshDrafts());
    this.#updates = new LiveUpdates(
      account.id,
      (change) => void this.#changed(change),
      (connected) => (this.live = connected),
    );
  }

  start(): void {
    void this.labels.refresh();
    void this.composers.start();
    this.#updates.start();
  }

  stop(): void {
    this.#updates.close();
    this.composers.stop();
  }

  /** Brings everything on the screen up to date after a time in which nothing could be loaded. */
  wake(): void {
    void this.labels.refresh();
    const shown = [...this.#lists.values()].at(-1);
    if (shown) void this.refresh(shown);
  }

  /** The list of a label or search; loads it when it is new, brings it up to date when it is not. */
  list(source: Source): ThreadList {
    const key = sourceKey(source);
    const list =
      this.#lists.get(key) ??
      new ThreadList(source, this.#page, this.#pending, (thrown) => this.#faults.absorb(thrown));
    this.#lists.delete(key);
    this.#lists.set(key, list);
    for (const old of [...this.#lists.keys()].slice(0, -keptLists)) this.#lists.delete(old);
    void this.refresh(list);
    return list;
  }

  async refresh(list: ThreadList): Promise<void> {
    try {
      await list.refresh();
    } catch (thrown) {
      this.#faults.report(thrown, 'The list is not up to date');
    }
  }

  /** Does something to conversations: shown at once, taken back when refused, offered to be undone. */
  act(name: VerbName, rows: ThreadRow[]): Promise<void> {
    const verb: Verb = verbs[name];
    return this.carryOut(verb, rows.filter(verb.applies));
  }

  /** act for anything that can be said as a verb, such as labels that a person chose. */
  async carryOut(verb: Verb, rows: ThreadRow[]): Promise<void> {
    // What changes nothing on a conversation must not be undone there either.
    const parts = verb.via === 'modify' ? byEffect(rows, verb.change) : [{ rows, change: verb.change }];
    const n = parts.reduce((sum, part) => sum + part.rows.length, 0);
    if (n === 0) return;
    const takenBack = parts.map((part) => this.#show(part.rows, part.change));
    const takeBack = () => takenBack.forEach((each) => each());
    const many = n > atMost * 2;
    const progress = (sent: number) => many && this.#toasts.show(`${count(sent)} of ${count(n)}…`, { ms: undoTime });
    const done = this.#sendParts(verb.via, parts, progress);
    const offer = () =>
      this.#toasts.show(verb.done(n), {
        ms: undoTime,
        action: { label: 'Undo', run: () => void this.#undo(verb, parts, done, takeBack) },
      });
    if (!many) offer();
    if (leaves(verb)) for (const list of this.#lists.values()) for (const { id } of rows) list.selected.delete(id);
    try {
      await done;
      if (many) offer();
    } catch (thrown) {
      takeBack();
      this.#faults.report(thrown, verb.failed);
      // Of many, some may have been changed before one was refused.
      if (many) this.wake();
    }
  }

  /** Marks an opened conversation read, without a notice. */
  async markRead(conversation: OpenConversation): Promise<void> {
    const data = conversation.data;
    if (!data?.messages.some((message) => message.unread)) return;
    const row = this.#row(conversation.id);
    const takeBack = row ? this.#show([row], verbs.read.change) : conversation.patch(verbs.read.change);
    try {
      await this.#send('modify', [conversation.id], verbs.read.change);
    } catch (thrown) {
      takeBack();
      this.#faults.absorb(thrown);
    }
  }

  async starMessage(conversation: OpenConversation, message: string, starred: boolean): Promise<void> {
    const change: LabelChange = starred ? { add: ['STARRED'], remove: [] } : { add: [], remove: ['STARRED'] };
    const verb = starred ? verbs.star : verbs.unstar;
    const takeBack = conversation.patch(change, [message]);
    const run = () => void this.starMessage(conversation, message, !starred);
    this.#toasts.show(verb.done(1), { ms: undoTime, action: { label: 'Undo', run } });
    try {
      const body = { messages: [message], ...change };
      await call(http.POST('/api/accounts/{account}/messages/modify', { params: this.#params, body }));
    } catch (thrown) {
      takeBack();
      this.#faults.report(thrown, verb.failed);
    }
  }

  /** A conversation as a list would show it, for actions on one that no list holds. */
  rowOf(conversation: OpenConversation): ThreadRow | undefined {
    const known = this.#row(conversation.id);
    const last = conversation.data?.messages.at(-1);
    if (known || !last) return known;
    const labelIds = [...new Set(conversation.data?.messages.flatMap((message) => message.labelIds))];
    return {
      id: conversation.id,
      messageId: last.id,
      subject: conversation.data?.subject ?? '',
      from: [last.from],
      snippet: last.snippet,
      date: last.date,
      labelIds,
      unread: labelIds.includes('UNREAD'),
      starred: labelIds.includes('STARRED'),
      messages: conversation.data?.messages.length ?? 1,
      attachment: false,
      draft: false,
    };
  }

  async refreshDrafts(): Promise<void> {
    const drafts = this.#lists.get('label:DRAFT');
    if (drafts) await this.refresh(drafts);
  }

  /** Messages that wait to be sent, and those that could not be. */
  async outbox(): Promise<OutboxItem[]> {
    return (await call(http.GET('/api/accounts/{account}/outbox', { params: this.#params }))).items;
  }

  get #params() {
    return { path: { account: this.account.id } };
  }

  #page = async (source: Source, page?: string): Promise<ThreadPage> => {
    const path = { account: this.account.id };
    const answer =
      source.kind === 'label'
        ? http.GET('/api/accounts/{account}/threads', {
            params: { path, query: { label: source.label, ...(page && { page }) } },
          })
        : http.POST('/api/accounts/{account}/search', {
            params: { path },
            body: { query: source.query, ...(page && { page }) },
          });
    const rows = await call<ThreadPage>(answer);
    for (const row of rows.threads) this.people.meet([...row.from, ...(row.to ?? [])]);
    return rows;
  };

  /** Lays a change over lists, counts and open conversations; answers how to take it off. */
  #show(rows: ThreadRow[], change: LabelChange): () => void {
    const id = this.#pending.add(rows, change);
    const uncount = this.labels.shift(rows, change);
    const unpatch = rows.map((row) => this.conversations.known(row.id)?.patch(change));
    const settle = setTimeout(() => this.#settle(id), undoTime + 2_000);
    return () => {
      clearTimeout(settle);
      this.#pending.drop(id);
      uncount();
      for (const restore of unpatch) restore?.();
    };
  }

  #settle(id: number): void {
    for (const list of this.#lists.values()) list.settle(id);
    this.#pending.drop(id);
  }

  async #undo(verb: Verb, parts: Part[], done: Promise<void>, takeBack: () => void): Promise<void> {
    takeBack();
    try {
      // The change must have landed before its opposite is sent, or the two could arrive the other way round.
      await done.catch(() => undefined);
      const back = { modify: 'modify', trash: 'untrash', untrash: 'trash' } as const;
      await this.#sendParts(
        back[verb.via],
        parts.map(({ rows, change }) => ({ rows, change: inverse(change) })),
      );
      // Gmail's untrash does not bring a conversation back to where it was.
      const rows = parts.flatMap((part) => part.rows);
      const wasInInbox = rows.filter((row) => row.labelIds.includes('INBOX')).map((row) => row.id);
      if (verb.via === 'trash' && wasInInbox.length > 0)
        await this.#send('modify', wasInInbox, { add: ['INBOX'], remove: [] });
      this.#toasts.show('Undone', { ms: 2_500 });
    } catch (thrown) {
      this.#faults.report(thrown, 'Not undone');
    }
    // A list that was brought up to date in between no longer holds the conversations.
    const shown = [...this.#lists.values()].at(-1);
    if (shown) await this.refresh(shown);
  }

  async #sendParts(via: Verb['via'], parts: Part[], progress: (sent: number) => void = () => undefined): Promise<void> {
    let sent = 0;
    for (const { rows, change } of parts) {
      const ids = rows.map((row) => row.id);
      const before = sent;
      await this.#send(via, ids, change, (some) => progress((sent = before + some)));
    }
  }

  async #send(
    via: Verb['via'],
    ids: string[],
    change: LabelChange,
    progress: (sent: number) => void = () => undefined,
  ): Promise<void> {
    for (let i = 0; i < ids.length; i += atMost) {
      progress(i);
      const threads = ids.slice(i, i + atMost);
      const params = this.#params;
      if (via === 'modify')
        await call(http.POST('/api/accounts/{account}/threads/modify', { params, body: { threads, ...change } }));
      else if (via === 'trash')
        await call(http.POST('/api/accounts/{account}/threads/trash', { params, body: { threads } }));
      else await call(http.POST('/api/accounts/{account}/threads/untrash', { params, body: { threads } }));
    }
  }

  #row(thread: string): ThreadRow | undefined {
    for (const list of this.#lists.values()) {
      const row = list.rows.find(({ id }) => id === thread);
      if (row) return row;
    }
    return undefined;
  }

  async #changed(change: LiveChange): Promise<void> {
    const lists = [...this.#lists.entries()];
    const current = lists.at(-1);
    for (const [key, list] of lists) {
      // Lists out of sight are brought up to date when they are opened again.
      if (list === current?.[1]) void this.refresh(list);
      else if (change.resync) this.#lists.delete(key);
    }
    for (const thread of change.threads) void this.conversations.known(thread)?.load();
    await this.labels.refresh();
  }
}

/** Whether conversations leave the selection with this verb: after archiving there is nothing left to act on. */
function leaves(verb: Verb): boolean {
  return verb.change.remove.includes('INBOX') || verb.via !== 'modify';
}
