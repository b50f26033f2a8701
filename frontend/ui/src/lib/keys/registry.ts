import { tinykeys } from 'tinykeys';
import type { Key } from './keymap';

/** One keyboard shortcut: the binding and its line in the help sheet come from the same place, so that neither can lie. */
export interface Shortcut extends Key {
  id: string;
  run: () => void;
  /** absent: always */
  when?: () => boolean;
}

/** Keys on one binding: several shortcuts may share one, the first whose `when` holds runs. */
export function bindings(shortcuts: Shortcut[], busy: () => boolean): Record<string, (event: KeyboardEvent) => void> {
  const byKeys = groupBy(
    shortcuts.filter(({ keys }) => keys),
    ({ keys }) => keys,
  );
  return Object.fromEntries(
    [...byKeys].sort(sequencesFirst).flatMap(([keys, rivals]) =>
      layouts(keys).map((binding) => [
        binding,
        (event: KeyboardEvent) => {
          if (event.defaultPrevented || isElsewhere(event) || busy()) return;
          const typing = isTyping(event);
          const shortcut = rivals.find((rival) => (rival.typing || !typing) && (rival.when?.() ?? true));
          if (!shortcut) return;
          event.preventDefault();
          shortcut.run();
        },
      ]),
    ),
  );
}

/** "g s" must take the s before "s" alone sees it. */
function sequencesFirst([a]: [string, unknown], [b]: [string, unknown]): number {
  return b.split(' ').length - a.split(' ').length;
}

/** A sign needs Shift on some keyboards and none on others; "#" is typed either way. */
function layouts(keys: string): string[] {
  return /^[^\p{L}\p{N}\s]$/u.test(keys) ? [keys, `Shift+${keys}`] : [keys];
}

function groupBy<K, T>(items: T[], key: (item: T) => K): Map<K, T[]> {
  const groups = new Map<K, T[]>();
  for (const item of items) {
    const group = groups.get(key(item));
    if (group) group.push(item);
    else groups.set(key(item), [item]);
  }
  return groups;
}

export function listen(shortcuts: Shortcut[], busy: () => boolean): () => void {
  return tinykeys(window, bindings(shortcuts, busy));
}

/** Whether a key belongs to a menu or dialog, which has keys of its own. */
function isElsewhere({ target }: KeyboardEvent): boolean {
  return target instanceof Element && target.closest('[role=menu], [role=dialog], dialog') !== null;
}

/** Whether a key belongs to a text field, where letters are letters. */
function isTyping({ key, target }: KeyboardEvent): boolean {
  if (!(target instanceof Element)) return false;
  if (target.closest('input:not([type=checkbox]):not([type=radio]), textarea, select, [contenteditable=true]'))
    return true;
  // Enter and Space press the control that has the focus.
  const presses = key === 'Enter' || key === ' ';
  return presses && target.closest('button, a[href], summary, input') !== null;
}

/** The lines of the help sheet, one per label, with every binding it has. */
export function sheet(
  shortcuts: Pick<Key, 'keys' | 'group' | 'label'>[],
): { group: string; lines: { label: string; keys: string[] }[] }[] {
  return [...groupBy(shortcuts, ({ group }) => group)].map(([group, members]) => ({
    group,
    lines: [...groupBy(members, ({ label }) => label)].map(([label, same]) => ({
      label,
      keys: [...new Set(same.map(({ keys }) => keys))],
    })),
  }));
}

const written: Record<string, string> = {
  Enter: 'Enter',
  Escape: 'Esc',
  Space: 'Space',
  ArrowDown: '↓',
  ArrowUp: '↑',
};

/** "g i" -> ["g", "then", "i"]: a binding as keycaps and words between them. */
export function keycaps(keys: string, mac = /Mac|iPhone|iPad/.test(navigator.userAgent)): string[] {
  const one = (key: string) => written[key] ?? key.replace('$mod', mac ? '⌘' : 'Ctrl').replaceAll('+', ' + ');
  return keys.split(' ').map(one);
}
