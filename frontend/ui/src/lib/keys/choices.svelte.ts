import { keyIds, keys, type KeyId } from './keymap';

const idOf = new Map(keyIds.filter((id) => !keys[id].fixed).map((id) => [keys[id].keys, id]));

/** Which keys this browser's owner has chosen. One instance for the window: tooltips ask it as well as the listener. */
export class KeyChoices {
  /** false: only arrows, Enter, Escape and keys held with Ctrl or ⌘ work */
  on = $state(true);
  /** what differs from the default; "" for a key that was taken away */
  own = $state.raw<Partial<Record<KeyId, string>>>({});

  constructor() {
    try {
      this.on = localStorage.getItem('keys-off') === null;
      const own = JSON.parse(localStorage.getItem('keys') ?? '{}') as Record<string, unknown>;
      this.own = Object.fromEntries(
        Object.entries(own).filter(([id, chosen]) => id in keys && typeof chosen === 'string'),
      );
    } catch {
      // Storage is switched off or holds something else: the defaults hold.
    }
  }

  of(id: KeyId): string {
    return this.own[id] ?? keys[id].keys;
  }

  /** The present keys of what has these by default, for a tooltip; "" when they do nothing. */
  hint(standard: string): string {
    const id = idOf.get(standard);
    if (!id) return standard;
    const present = this.of(id);
    return this.on || present.includes('$mod') ? present : '';
  }

  set(id: KeyId, chosen: string): void {
    const { [id]: _, ...others } = this.own;
    this.#keep(chosen === keys[id].keys ? others : { ...others, [id]: chosen });
  }

  reset(): void {
    this.#keep({});
  }

  turn(on: boolean): void {
    this.on = on;
    write('keys-off', on ? null : '1');
  }

  #keep(own: Partial<Record<KeyId, string>>): void {
    this.own = own;
    write('keys', Object.keys(own).length > 0 ? JSON.stringify(own) : null);
  }
}

function write(name: string, value: string | null): void {
  try {
    if (value === null) localStorage.removeItem(name);
    else localStorage.setItem(name, value);
  } catch {
    // The choice lasts until the page is closed.
  }
}

export const keyChoices = new KeyChoices();
