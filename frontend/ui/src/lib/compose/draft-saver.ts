import { asProblem } from '../api/problem';
import type { Compose, Draft } from '../api/types';

/**
 * idle: nothing written yet · waiting: typing goes on · saving · saved · offline: kept in this browser, tried again ·
 * conflict: the draft was changed elsewhere · failed: refused, trying again would not help
 */
export type SaveState = 'idle' | 'waiting' | 'saving' | 'saved' | 'offline' | 'conflict' | 'failed';

export interface DraftStore {
  create(compose: Compose): Promise<Draft>;
  update(id: string, compose: Compose): Promise<Draft>;
  /** keeps what could not be saved */
  keep(compose: Compose, draftId: string | undefined): Promise<void>;
  /** what was kept is in Gmail now */
  release(): Promise<void>;
}

interface Options {
  store: DraftStore;
  /** what the person sees right now */
  snapshot: () => Compose;
  onState: (state: SaveState, thrown?: unknown) => void;
  /** quiet time before a save, in milliseconds */
  debounce?: number;
  draftId?: string | undefined;
  messageId?: string | undefined;
}

const firstRetry = 4_000;
const longestRetry = 60_000;

/**
 * Saves a draft while it is written: some time after the last key, one save at a time, the newest text last. A save
 * that fails for want of a network is kept in the browser and tried again.
 */
export class DraftSaver {
  draftId: string | undefined;
  messageId: string | undefined;

  #store: DraftStore;
  #snapshot: () => Compose;
  #onState: Options['onState'];
  #debounce: number;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #running: Promise<void> | null = null;
  #dirty = false;
  #stopped = false;
  #retry = firstRetry;
  #kept = false;

  constructor({ store, snapshot, onState, debounce = 1_500, draftId, messageId }: Options) {
    this.#store = store;
    this.#snapshot = snapshot;
    this.#onState = onState;
    this.#debounce = debounce;
    this.draftId = draftId;
    this.messageId = messageId;
  }

  /** Something was changed. */
  touch(): void {
    if (this.#stopped) return;
    this.#dirty = true;
    if (!this.#running) this.#onState('waiting');
    this.#schedule(this.#debounce);
  }

  /** Saves now what is not saved yet, and waits for it. */
  async flush(): Promise<void> {
    clearTimeout(this.#timer);
    if (this.#running) await this.#running;
    if (this.#dirty && !this.#stopped) await this.#save();
  }

  /** Saves no more; waits for the save under way, so that no draft is created behind our back. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#running;
  }

  /** Goes on after stop, say when sending was refused. */
  resume(): void {
    this.#stopped = false;
    if (this.#dirty) this.#schedule(this.#debounce);
  }

  /** After a conflict: this version replaces the other one. */
  async overwrite(): Promise<void> {
    this.messageId = undefined;
    this.#dirty = true;
    this.#stopped = false;
    await this.flush();
  }

  /** After a conflict: the other version was taken; saving goes on from it. */
  adopt(draft: Draft): void {
    this.draftId = draft.id;
    this.messageId = draft.messageId;
    this.#dirty = false;
    this.#stopped = false;
    this.#onState('saved');
  }

  get unsaved(): boolean {
    return this.#dirty || this.#running !== null;
  }

  #schedule(ms: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#save(), ms);
  }

  #save(): Promise<void> {
    // A save under way is waited for: two at once could arrive in either order.
    this.#running ??= this.#saveOnce().finally(() => {
      this.#running = null;
      if (this.#dirty && !this.#stopped) this.#schedule(this.#retry > firstRetry ? this.#retry : this.#debounce);
    });
    return this.#running;
  }

  async #saveOnce(): Promise<void> {
    this.#dirty = false;
    const compose = this.#snapshot();
    if (this.messageId !== undefined) compose.ifMessageId = this.messageId;
    this.#onState('saving');
    try {
      const draft = this.draftId ? await this.#store.update(this.draftId, compose) : await this.#store.create(compose);
      this.draftId = draft.id;
      this.messageId = draft.messageId;
      this.#retry = firstRetry;
      if (this.#kept) await this.#store.release();
      this.#kept = false;
      this.#onState(this.#dirty ? 'waiting' : 'saved');
    } catch (thrown) {
      await this.#failed(thrown, compose);
    }
  }

  async #failed(thrown: unknown, compose: Compose): Promise<void> {
    const { code } = asProblem(thrown);
    if (code === 'draft_conflict') {
      this.#stopped = true;
      this.#onState('conflict', thrown);
      return;
    }
    this.#kept = true;
    await this.#store.keep(compose, this.draftId);
    if (passing.has(code)) {
      this.#dirty = true;
      this.#onState('offline', thrown);
      this.#retry = Math.min(this.#retry * 2, longestRetry);
    } else {
      this.#onState('failed', thrown);
    }
  }
}

/** Failures that go away by themselves. */
const passing = new Set([
  'offline',
  'upstream_unavailable',
  'rate_limited',
  'gate_closed',
  'internal',
  'unauthenticated',
]);
