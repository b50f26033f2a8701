import type { Address } from '../api/types';

/** Addresses seen in this mailbox since the page was loaded, to complete what is typed in a recipient field. */
export class People {
  #byEmail = new Map<string, Address & { seen: number }>();

  meet(people: Address[]): void {
    for (const { name, email } of people) {
      const key = email.toLowerCase();
      const known = this.#byEmail.get(key);
      const called = name ?? known?.name;
      this.#byEmail.set(key, { email, ...(called && { name: called }), seen: (known?.seen ?? 0) + 1 });
    }
  }

  /** The best few matches for the beginning of a name or address, most often seen first. */
  matching(text: string, except: ReadonlySet<string>, limit = 6): Address[] {
    const wanted = text.trim().toLowerCase();
    if (!wanted) return [];
    return [...this.#byEmail.entries()]
      .filter(([email, person]) => !except.has(email) && starts(person, wanted))
      .sort(([, a], [, b]) => b.seen - a.seen)
      .slice(0, limit)
      .map(([, { name, email }]) => ({ email, ...(name && { name }) }));
  }
}

function starts({ name, email }: Address, wanted: string): boolean {
  if (email.toLowerCase().startsWith(wanted)) return true;
  const words = name?.toLowerCase() ?? '';
  return words.startsWith(wanted) || words.split(/\s+/).some((word) => word.startsWith(wanted));
}
