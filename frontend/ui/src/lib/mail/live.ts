import { isLeaving } from '../api/client';
import type { LiveChange } from '../api/types';

/** First and longest wait before a broken stream is opened again, in milliseconds. */
const firstWait = 1_000;
const longestWait = 60_000;

/** Hears of changes in a mailbox as they happen, for as long as it is not closed. */
export class LiveUpdates {
  #url: string;
  #onChange: (change: LiveChange) => void;
  #onState: (connected: boolean) => void;
  #stream: EventSource | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #wait = firstWait;
  #everOpen = false;

  constructor(account: string, onChange: (change: LiveChange) => void, onState: (connected: boolean) => void) {
    this.#url = `/api/accounts/${encodeURIComponent(account)}/events`;
    this.#onChange = onChange;
    this.#onState = onState;
  }

  start(): void {
    if (isLeaving()) return;
    const stream = new EventSource(this.#url);
    this.#stream = stream;
    stream.addEventListener('open', () => {
      this.#wait = firstWait;
      this.#onState(true);
      // What happened while there was no stream is not told again.
      if (this.#everOpen) this.#onChange({ historyId: '', threads: [], labels: [], arrived: 0, resync: true });
      this.#everOpen = true;
    });
    stream.addEventListener('change', (event: MessageEvent<string>) => {
      this.#onChange(JSON.parse(event.data) as LiveChange);
    });
    stream.addEventListener('closed', () => this.#again());
    stream.addEventListener('error', () => this.#again());
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#stream?.close();
    this.#stream = null;
  }

  /** Our own waiting instead of EventSource's, which comes back at once and for ever, and gives up on an error status. */
  #again(): void {
    if (!this.#stream) return;
    this.close();
    this.#onState(false);
    const jitter = 0.5 + Math.random();
    this.#timer = setTimeout(() => this.start(), this.#wait * jitter);
    this.#wait = Math.min(this.#wait * 2, longestWait);
  }
}
