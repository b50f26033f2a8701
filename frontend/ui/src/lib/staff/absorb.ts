import { asProblem } from '../api/problem';
import type { Problem } from '../api/types';
import type { Faults } from '../state/faults.svelte';

/** What an owner has to mend in a mailbox; on a staff page it takes nothing over, it is said in its place. */
const ofTheMailbox = ['reconnect', 'consent_required', 'not_connected'];

/** The error path of staff pages: as everywhere, except that a mailbox's troubles are somebody else's. */
export function staffAbsorb(faults: Faults): (thrown: unknown) => Problem | null {
  return (thrown) => {
    const problem = asProblem(thrown);
    return ofTheMailbox.includes(problem.code) ? problem : faults.absorb(thrown);
  };
}
