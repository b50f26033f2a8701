import { createSubscriber } from 'svelte/reactivity';

/** The time, once a second, for whatever counts down; it stands still while nothing on the screen reads it. */
class Clock {
  #subscribe = createSubscriber((update) => {
    const timer = setInterval(update, 1_000);
    return () => clearInterval(timer);
  });

  /** milliseconds since 1970 */
  get now(): number {
    this.#subscribe();
    return Date.now();
  }
}

export const clock = new Clock();
