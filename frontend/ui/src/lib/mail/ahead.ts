/** How long the pointer rests on a row before it counts, in milliseconds: crossing the list asks for nothing. */
const rest = 90;
/** How long a conversation is not named again. */
const remembered = 5 * 60_000;

/**
 * Tells the server which conversations may be opened next, so that it has them ready: the one under the pointer, and
 * the neighbours of the one that is open. The server reads them only when that costs nobody anything.
 */
export class Ahead {
  #tell: (thread: string) => Promise<unknown>;
  #told = new Map<string, number>();
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(tell: (thread: string) => Promise<unknown>) {
    this.#tell = tell;
  }

  /** The pointer came to a conversation's row. */
  near(thread: string): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#name(thread), rest);
  }

  /** The pointer left it. */
  away(): void {
    clearTimeout(this.#timer);
  }

  /** A conversation of the list is open: the next one and the one before may follow. */
  around(threads: string[], open: string): void {
    const at = threads.indexOf(open);
    if (at < 0) return;
    this.#told.set(open, Date.now());
    for (const thread of [threads[at + 1], threads[at - 1]]) if (thread) this.#name(thread);
  }

  #name(thread: string): void {
    const now = Date.now();
    if (now - (this.#told.get(thread) ?? -Infinity) < remembered) return;
    for (const [old, at] of this.#told) if (now - at >= remembered) this.#told.delete(old);
    this.#told.set(thread, now);
    this.#tell(thread).catch(() => undefined); // it was only a hint
  }
}
