import { asProblem, sentence } from '../api/problem';
import type { Problem } from '../api/types';
import type { Toasts } from './toasts.svelte';

/**
 * The one error path. Failures that concern the whole page (no session, gate closed, mailbox to be reconnected) are
 * kept here and take the page over; every other failure goes back to the caller, who shows it in its place.
 */
export class Faults {
  /** the session has ended or never was */
  signedOut = $state(false);
  /** the policy gate is closed for everyone */
  gate = $state.raw<Problem | null>(null);
  /** Google wants the person once more */
  connection = $state.raw<Problem | null>(null);

  #toasts: Toasts;

  constructor(toasts: Toasts) {
    this.#toasts = toasts;
  }

  /** Takes a failure of the whole page and answers null; otherwise answers the problem, which is the caller's to show. */
  absorb(thrown: unknown): Problem | null {
    const problem = asProblem(thrown);
    switch (problem.code) {
      case 'unauthenticated':
        this.signedOut = true;
        return null;
      case 'gate_closed':
        this.gate = problem;
        return null;
      case 'reconnect':
      case 'consent_required':
      case 'not_connected':
        this.connection = problem;
        return null;
      default:
        return problem;
    }
  }

  /** For failures that have no place of their own: says them in a toast. `what` is a clause like "Not archived". */
  report(thrown: unknown, what: string): void {
    const problem = this.absorb(thrown);
    if (problem) this.#toasts.show(`${what}. ${sentence(problem)}`, { tone: 'error' });
  }

  clear(): void {
    this.signedOut = false;
    this.gate = null;
    this.connection = null;
  }
}
