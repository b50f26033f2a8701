/** Short notices at the edge of the page, announced to screen readers, some with a way back. */
export interface Toast {
  id: number;
  text: string;
  tone: 'plain' | 'error';
  action?: { label: string; run: () => void };
  /** milliseconds since 1970 when it goes */
  until: number;
}

interface Options {
  tone?: Toast['tone'];
  action?: Toast['action'];
  /** how long it stays, in milliseconds */
  ms?: number;
}

export class Toasts {
  items = $state.raw<Toast[]>([]);
  #next = 1;
  #timers = new Map<number, ReturnType<typeof setTimeout>>();

  show(text: string, { tone = 'plain', action, ms = tone === 'error' ? 8_000 : 5_000 }: Options = {}): number {
    const id = this.#next++;
    const toast: Toast = { id, text, tone, until: Date.now() + ms, ...(action && { action }) };
    // One thing at a time: a newer notice takes the place of the older one of its kind.
    for (const old of this.items) if (old.tone === tone) this.#stop(old.id);
    this.items = [...this.items.filter((old) => old.tone !== tone), toast];
    this.#start(id, ms);
    return id;
  }

  dismiss(id: number): void {
    this.#stop(id);
    this.items = this.items.filter((toast) => toast.id !== id);
  }

  /** Runs the newest toast's action, as the `z` key does. */
  undo(): void {
    const toast = this.items.findLast((item) => item.action);
    if (toast) this.run(toast);
  }

  run(toast: Toast): void {
    this.dismiss(toast.id);
    toast.action?.run();
  }

  /** Keeps a toast while someone points at it. */
  hold(id: number): void {
    this.#stop(id);
  }

  release(id: number): void {
    this.#start(id, 3_000);
  }

  #start(id: number, ms: number): void {
    this.#timers.set(
      id,
      setTimeout(() => this.dismiss(id), ms),
    );
  }

  #stop(id: number): void {
    clearTimeout(this.#timers.get(id));
    this.#timers.delete(id);
  }
}
