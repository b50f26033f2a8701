import type { Account, Address } from '../api/types';
import { keyIds, keys } from '../keys/keymap';
import type { Shortcut } from '../keys/registry';
import { labelName, systemLabels } from '../mail/label-tree';
import type { Mailbox } from '../mail/mailbox.svelte';
import type { Navigation } from '../mail/navigation.svelte';
import { sections } from '../settings/sections';
import type { Preferences } from '../state/preferences.svelte';
import type { Router } from '../state/router.svelte';
import type { SessionState } from '../state/session.svelte';
import type { IconName } from '../ui/icons';
import { best, type Findable } from './rank';

/** One line of the palette. */
export interface Entry extends Findable {
  id: string;
  group: string;
  icon: IconName;
  /** the keys that do the same, in tinykeys' notation */
  keys?: string;
  /** said at the end of the line */
  detail?: string;
  run: () => void;
}

interface Reach {
  mailbox: Mailbox;
  navigation: Navigation;
  preferences: Preferences;
  router: Router;
  session: SessionState;
  shortcuts: Shortcut[];
}

/** What keys look like as icons; the others have a keyboard. */
const icons: Record<string, IconName> = {
  archive: 'archive',
  trash: 'trash-2',
  spam: 'octagon-alert',
  star: 'star',
  read: 'mail-open',
  unread: 'mail',
  label: 'tag',
  move: 'folder-input',
  undo: 'undo-2',
  compose: 'pencil',
  reply: 'reply',
  replyAll: 'reply-all',
  forward: 'forward',
  search: 'search',
  back: 'arrow-left',
  older: 'chevron-down',
  newer: 'chevron-up',
};

/** How many lines of one kind are worth reading. */
const perGroup = 5;

/** Acting on mail is what most come for; moving about is quicker without the palette. */
const order = ['Act', 'Write', 'Page', 'Move', 'Go to'];

/** Everything that can be done from here, found by what was typed. */
export function entriesFor(typed: string, reach: Reach): Entry[] {
  const found = (all: Entry[]) => best(all, typed, perGroup);
  const text = typed.trim();
  if (!text) return [...found(acts(reach)), ...found(places(reach))];
  return [
    ...found(acts(reach)),
    ...found(places(reach)),
    ...found(people(text, reach)),
    ...found(settings(reach)),
    ...found(mailboxes(reach)),
    search(text, reach),
  ];
}

/** The keys of the registry that would do something here, each label once. */
function acts({ navigation, shortcuts }: Reach): Entry[] {
  const n = navigation.targets.length;
  const subject = navigation.targets[0]?.subject.trim() || '(no subject)';
  const on = n > 1 ? `${n} conversations` : subject;
  const usable = keyIds
    .filter((id) => !keys[id].fixed && id !== 'palette' && keys[id].group !== 'Go to')
    .sort((a, b) => Number(b === 'undo') - Number(a === 'undo') || rank(a) - rank(b));
  return usable.flatMap((id) => {
    const shortcut = shortcuts.find((each) => each.id === id);
    if (!shortcut || !(shortcut.when?.() ?? true)) return [];
    const entry: Entry = {
      id: `act:${id}`,
      group: 'Actions',
      title: shortcut.label,
      icon: icons[id] ?? 'keyboard',
      keys: shortcut.keys,
      run: shortcut.run,
    };
    return [shortcut.acts ? { ...entry, detail: on } : entry];
  });
}

const rank = (id: keyof typeof keys) => order.indexOf(keys[id].group) + (keys[id].acts ? 0 : 0.5);

const goKeys: Record<string, string> = {
  INBOX: 'goInbox',
  STARRED: 'goStarred',
  SENT: 'goSent',
  DRAFT: 'goDrafts',
  ALL: 'goAll',
};

function places({ mailbox, navigation, shortcuts }: Reach): Entry[] {
  const keysOf = (label: string) => shortcuts.find(({ id }) => id === goKeys[label])?.keys;
  const system = systemLabels.map(({ id, name, icon }) => ({ id, name, icon }));
  const own = mailbox.labels.all
    .filter(({ type }) => type === 'user')
    .sort((a, b) => a.name.localeCompare(b.name))
    .map((label) => ({ id: label.id, name: label.name, icon: 'tag' as const, also: labelName(label) }));
  return [...system, ...own].map(({ id, name, icon }) => {
    const bound = keysOf(id);
    return {
      id: `label:${id}`,
      group: 'Go to',
      title: name,
      icon,
      run: () => navigation.toLabel(id),
      ...(bound && { keys: bound }),
    };
  });
}

function people(text: string, { mailbox, navigation }: Reach): Entry[] {
  return mailbox.people.matching(text, new Set(), 4).map((person: Address) => ({
    id: `from:${person.email}`,
    group: 'People',
    title: person.name ?? person.email,
    also: person.email,
    icon: 'user-round',
    detail: 'mail from and to them',
    run: () => navigation.search(`{from:${person.email} to:${person.email}}`),
  }));
}

function settings({ mailbox, preferences, router }: Reach): Entry[] {
  const themes = [
    { value: 'light', title: 'Light theme', icon: 'sun' },
    { value: 'dark', title: 'Dark theme', icon: 'moon' },
    { value: 'system', title: 'Theme of this device', icon: 'monitor' },
  ] as const;
  const panes = [
    { value: 'right', title: 'Reading pane at the right' },
    { value: 'bottom', title: 'Reading pane at the bottom' },
    { value: 'none', title: 'No reading pane' },
  ] as const;
  const dense = preferences.density === 'compact';
  return [
    ...sections.map(({ id, title, icon, words = '' }) => ({
      id: `section:${id}`,
      group: 'Settings',
      title,
      also: `settings ${words}`,
      icon,
      run: () => router.go({ page: 'settings', section: id }, { account: mailbox.account.id }),
    })),
    ...themes.map(({ value, title, icon }) => ({
      id: `theme:${value}`,
      group: 'Settings',
      title,
      icon,
      run: () => preferences.setTheme(value),
    })),
    ...panes.map(({ value, title }) => ({
      id: `pane:${value}`,
      group: 'Settings',
      title,
      icon: 'panel-right' as const,
      run: () => preferences.setPane(value),
    })),
    {
      id: 'density',
      group: 'Settings',
      title: dense ? 'Comfortable list' : 'Compact list',
      also: 'density',
      icon: 'menu',
      run: () => preferences.setDensity(dense ? 'comfortable' : 'compact'),
    },
  ];
}

function mailboxes({ mailbox, router, session }: Reach): Entry[] {
  const others = (session.current?.accounts ?? []).filter(({ id }: Account) => id !== mailbox.account.id);
  return [
    ...others.map(({ id, email, name }) => ({
      id: `mailbox:${id}`,
      group: 'Mailboxes',
      title: email,
      also: name,
      icon: 'mail' as const,
      run: () => router.go({ page: 'label', account: id, label: 'INBOX' }),
    })),
    {
      id: 'sign-out',
      group: 'Mailboxes',
      title: 'Sign out',
      also: mailbox.account.email,
      icon: 'log-out',
      run: () => void session.signOut(),
    },
  ];
}

function search(text: string, { navigation }: Reach): Entry {
  return {
    id: 'search',
    group: 'Search',
    title: `Search mail for “${text}”`,
    icon: 'search',
    run: () => navigation.search(text),
  };
}
