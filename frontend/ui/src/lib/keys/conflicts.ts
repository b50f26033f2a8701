import { keys, type KeyId } from './keymap';

/** Why two bindings cannot both work. */
export interface Conflict {
  with: KeyId;
  /** same: one key for two things; begins: one is the beginning of the other, which therefore waits or never comes */
  kind: 'same' | 'begins';
}

/** What stands in the way of giving a key to something; the choices are all keys as they would be. */
export function conflicts(id: KeyId, chosen: string, of: (id: KeyId) => string): Conflict[] {
  if (chosen === '') return [];
  const found: Conflict[] = [];
  for (const other of Object.keys(keys) as KeyId[]) {
    const theirs = of(other);
    if (other === id || theirs === '' || !meet(id, other)) continue;
    if (theirs === chosen) found.push({ with: other, kind: 'same' });
    else if (theirs.startsWith(`${chosen} `) || chosen.startsWith(`${theirs} `))
      found.push({ with: other, kind: 'begins' });
  }
  return found;
}

/** Whether two keys can be pressed in the same place. */
function meet(a: KeyId, b: KeyId): boolean {
  const [here, there] = [keys[a].where, keys[b].where];
  return here === undefined || there === undefined || here === there;
}

/** Browsers keep these for themselves, or people would miss them. */
const taken = /^(Tab|Shift\+Tab|F\d+|\$mod\+([acvxnrtwlpf]|Shift\+[A-Za-z]))$/;

export const isTaken = (chosen: string): boolean => taken.test(chosen);

/** The notation of a pressed key, or null for a modifier alone. */
export function notation(event: KeyboardEvent): string | null {
  const { key } = event;
  if (['Shift', 'Control', 'Alt', 'Meta', 'AltGraph', 'Dead', 'CapsLock'].includes(key)) return null;
  const letter = /^\p{L}$/u.test(key);
  const parts = [
    ...(event.ctrlKey || event.metaKey ? ['$mod'] : []),
    ...(event.altKey ? ['Alt'] : []),
    // The sign that Shift makes says it already; a letter does not in tinykeys' notation.
    ...(event.shiftKey && (letter || key.length > 1) ? ['Shift'] : []),
    key === ' ' ? 'Space' : letter && event.shiftKey ? key.toUpperCase() : key,
  ];
  return parts.join('+');
}
