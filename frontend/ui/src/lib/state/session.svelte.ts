import { call, http, setLeaving } from '../api/client';
import { asProblem } from '../api/problem';
import type { Account, Problem, Session } from '../api/types';
import { forgetUnsaved } from '../compose/unsaved';
import type { Faults } from './faults.svelte';

/** Roles that have something to do on the staff page. */
const staffRoles: string[] = ['support', 'approver', 'operations'];

/** Who is signed in. */
export class SessionState {
  current = $state.raw<Session | null>(null);
  problem = $state.raw<Problem | null>(null);

  #faults: Faults;

  constructor(faults: Faults) {
    this.#faults = faults;
  }

  async load(): Promise<void> {
    this.problem = null;
    try {
      const session = await call(http.GET('/api/session'));
      this.#faults.clear();
      this.#faults.signedOut = !session.signedIn;
      this.current = session;
    } catch (thrown) {
      this.problem = this.#faults.absorb(thrown);
    }
  }

  /** Looks whether a closed gate has opened: only a decided call can tell, a session alone is not decided. */
  async lookAgain(account: string | undefined): Promise<void> {
    try {
      if (account) await call(http.GET('/api/accounts/{account}/labels', { params: { path: { account } } }));
      await this.load();
    } catch (thrown) {
      this.#faults.absorb(thrown);
    }
  }

  account(id: string): Account | undefined {
    return this.current?.accounts.find((account) => account.id === id);
  }

  /** Whether this person may read the decision log. */
  get mayAudit(): boolean {
    return this.current?.roles.some((role) => role === 'auditor' || role === 'reviewer') ?? false;
  }

  /** Whether this person has, or may have, mailboxes here. */
  get isOwner(): boolean {
    return this.current?.roles.includes('owner') ?? false;
  }

  /** Whether this person works on the staff page. */
  get isStaff(): boolean {
    return this.current?.roles.some((role) => staffRoles.includes(role)) ?? false;
  }

  /** Ends the session and loads the page anew, so that nothing of the mailbox stays in memory. */
  async signOut({ everywhere = false } = {}): Promise<void> {
    setLeaving(true);
    try {
      await call(http.POST('/api/session/sign-out', { params: { query: { everywhere } } }));
    } catch (thrown) {
      if (asProblem(thrown).code !== 'unauthenticated') {
        setLeaving(false);
        this.#faults.report(thrown, 'Not signed out');
        return;
      }
    }
    await forgetUnsaved();
    location.assign('/');
  }

  async disconnect(account: string): Promise<void> {
    await call(http.POST('/api/accounts/{account}/disconnect', { params: { path: { account } } }));
    await forgetUnsaved();
    location.assign('/');
  }
}
