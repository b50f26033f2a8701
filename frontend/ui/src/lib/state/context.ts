import { createContext } from 'svelte';
import type { Mailbox } from '../mail/mailbox.svelte';
import type { Faults } from './faults.svelte';
import type { Preferences } from './preferences.svelte';
import type { Router } from './router.svelte';
import type { SessionState } from './session.svelte';
import type { Toasts } from './toasts.svelte';

/** What every screen may use. Made once, in App. */
export interface Services {
  faults: Faults;
  preferences: Preferences;
  router: Router;
  session: SessionState;
  toasts: Toasts;
}

export const [getServices, setServices] = createContext<Services>();
/** The mailbox on the screen; made in MailApp. */
export const [getMailbox, setMailbox] = createContext<Mailbox>();
