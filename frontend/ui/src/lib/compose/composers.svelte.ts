import { call, http } from '../api/client';
import { asProblem } from '../api/problem';
import type { Account, Compose, Message, OutboxItem } from '../api/types';
import { fullDate } from '../format/date';
import type { Faults } from '../state/faults.svelte';
import type { Toasts } from '../state/toasts.svelte';
import { Composer } from './composer.svelte';
import { emptyCompose, replyTo } from './reply';
import { listUnsaved } from './unsaved';

/** Windows that fit beside each other; a further one takes the place of the oldest. */
const atMost = 3;
/** How long after the undo window the outbox is asked whether a message has left, in milliseconds. */
const sentCheck = 4_000;

/** The open compose windows of a mailbox, and the messages on their way out. */
export class Composers {
  open = $state.raw<Composer[]>([]);
  /** messages that could not be sent */
  failed = $state.raw<OutboxItem[]>([]);
  /** Messages that wait for the time chosen for them, the next one first. */
  scheduled = $state.raw<OutboxItem[]>([]);

  #account: Account;
  #faults: Faults;
  #toasts: Toasts;
  #onDrafts: () => void;
  #timers = new Set<ReturnType<typeof setTimeout>>();

  constructor(account: Account, faults: Faults, toasts: Toasts, onDrafts: () => void) {
    this.#account = account;
    this.#faults = faults;
    this.#toasts = toasts;
    this.#onDrafts = onDrafts;
  }

  /** Looks for what an earlier visit left behind: failed sends, and drafts that could not be saved. */
  async start(): Promise<void> {
    for (const entry of await listUnsaved(this.#account.id)) {
      const composer = this.#show(this.#make(entry.compose, { key: entry.key, draftId: entry.draftId }));
      composer.size = 'minimized';
      composer.touch();
    }
    await this.checkOutbox();
  }

  stop(): void {
    for (const timer of this.#timers) clearTimeout(timer);
  }

  compose(start: Partial<Compose> = {}): Composer {
    return this.#show(this.#make({ ...emptyCompose(), ...start }));
  }

  reply(message: Message, kind: 'reply' | 'replyAll' | 'forward'): Composer {
    return this.#show(this.#make(replyTo(message, kind, this.#account.email)));
  }

  async openDraft(draft: string): Promise<void> {
    const known = this.open.find((composer) => composer.draftId === draft);
    if (known) {
      known.size = 'normal';
      known.writing?.focus();
      return;
    }
    try {
      const { id, messageId, compose } = await call(
        http.GET('/api/accounts/{account}/drafts/{draft}', { params: { path: { account: this.#account.id, draft } } }),
      );
      this.#show(this.#make(compose, { draftId: id, messageId }));
    } catch (thrown) {
      this.#faults.report(thrown, 'The draft could not be opened');
    }
  }

  /** Closes the window and keeps the draft. */
  async close(composer: Composer): Promise<void> {
    this.#remove(composer);
    await composer.flush();
    if (composer.save === 'saved') this.#toasts.show('Draft saved', { ms: 2_500 });
    else if (composer.save === 'offline')
      this.#toasts.show('Offline: the draft is kept in this browser until it can be saved', { tone: 'error' });
    this.#onDrafts();
  }

  async discard(composer: Composer): Promise<void> {
    this.#remove(composer);
    try {
      await composer.discard();
      this.#toasts.show('Draft discarded');
    } catch (thrown) {
      this.#faults.report(thrown, 'The draft is still in Gmail');
    }
    this.#onDrafts();
  }

  async send(composer: Composer, sendAt?: number): Promise<void> {
    const item = await composer.send(sendAt);
    if (!item) return;
    this.#remove(composer);
    if (item.sendAt) {
      this.#toasts.show(`It will be sent on ${fullDate(item.sendAt)}`, {
        action: { label: 'Undo', run: () => void this.takeBack(item.id) },
      });
      void this.checkOutbox();
      return;
    }
    const wait = Math.max(0, item.undoUntil - Date.now());
    this.#toasts.show('Sending…', { ms: wait, action: { label: 'Undo', run: () => void this.takeBack(item.id) } });
    this.#later(wait + sentCheck, () => void this.checkOutbox(item.id));
  }

  /** Takes a message back before it leaves, or after it could not: it opens as the draft it was. */
  async takeBack(item: string): Promise<void> {
    try {
      const compose = await call(
        http.POST('/api/accounts/{account}/outbox/{item}/undo', {
          params: { path: { account: this.#account.id, item } },
        }),
      );
      this.failed = this.failed.filter(({ id }) => id !== item);
      this.scheduled = this.scheduled.filter(({ id }) => id !== item);
      this.#show(this.#make(compose));
    } catch (thrown) {
      if (asProblem(thrown).code === 'too_late')
        this.#toasts.show('Too late to undo: the message has left', { tone: 'error' });
      else this.#faults.report(thrown, 'Not taken back');
    }
  }

  /** Asks what became of the outbox; `sent` names a message whose leaving is to be said. */
  async checkOutbox(sent?: string): Promise<void> {
    try {
      const { items } = await call(
        http.GET('/api/accounts/{account}/outbox', { params: { path: { account: this.#account.id } } }),
      );
      this.failed = items.filter(({ state }) => state === 'failed');
      const item = items.find(({ id }) => id === sent);
      if (sent !== undefined && (item === undefined || item.state === 'sent'))
        this.#toasts.show('Message sent', { ms: 3_000 });
      const later = (item: OutboxItem) => item.state === 'queued' && (item.sendAt ?? 0) > Date.now();
      this.scheduled = items.filter(later).sort((a, b) => (a.sendAt ?? 0) - (b.sendAt ?? 0));
      const waiting = items.some((item) => (item.state === 'queued' || item.state === 'sending') && !later(item));
      if (waiting) this.#later(sentCheck * 2, () => void this.checkOutbox(sent));
    } catch (thrown) {
      this.#faults.absorb(thrown);
    }
  }

  #later(ms: number, run: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      run();
    }, ms);
    this.#timers.add(timer);
  }

  #make(compose: Compose, origin?: ConstructorParameters<typeof Composer>[3]): Composer {
    return new Composer(this.#account.id, compose, (thrown) => this.#faults.absorb(thrown), origin);
  }

  #show(composer: Composer): Composer {
    const crowded = this.open[0];
    if (this.open.length >= atMost && crowded) void this.close(crowded);
    this.open = [...this.open, composer];
    return composer;
  }

  #remove(composer: Composer): void {
    this.open = this.open.filter((other) => other !== composer);
  }
}
