import type { ThreadRow } from '../api/types';
import type { KeyChoices } from '../keys/choices.svelte';
import { keyIds, keys, type KeyId } from '../keys/keymap';
import type { Shortcut } from '../keys/registry';
import type { Toasts } from '../state/toasts.svelte';
import type { Mailbox } from './mailbox.svelte';
import type { Navigation } from './navigation.svelte';

interface Reach {
  mailbox: Mailbox;
  navigation: Navigation;
  toasts: Toasts;
  choices: KeyChoices;
  open: (row: ThreadRow) => void;
  focusSearch: () => void;
  toggleHelp: () => void;
  togglePalette: () => void;
}

/** The mailbox's keys as they are chosen at present, each with what it does here. */
export function shortcuts({ mailbox, navigation, toasts, choices, open, ...page }: Reach): Shortcut[] {
  const reading = () => navigation.conversation !== null;
  const current = () => navigation.list?.rows[navigation.list.cursor];
  const openCurrent = () => {
    const row = current();
    if (row) open(row);
  };
  const reply = (kind: 'reply' | 'replyAll' | 'forward') => () => {
    const last = navigation.conversation?.data?.messages.findLast((message) => !message.draft);
    if (last) mailbox.composers.reply(last, kind);
  };
  const message = (step: 1 | -1) => () => void import('./message-focus').then(({ stepMessage }) => stepMessage(step));
  const step = (by: 1 | -1) => () => navigation.step(by);
  const go = (label: string) => () => navigation.toLabel(label);
  const back = () => navigation.back();

  const runs: Record<KeyId, () => void> = {
    older: step(1),
    newer: step(-1),
    down: step(1),
    up: step(-1),
    open: openCurrent,
    enter: openCurrent,
    back,
    leave: back,
    nextMessage: message(1),
    previousMessage: message(-1),
    clear: () => navigation.list?.selected.clear(),
    select: () => {
      const row = current();
      if (row) navigation.list?.toggle(row.id);
    },
    selectAll: () => navigation.list?.selectAll(),
    archive: () => navigation.act('archive'),
    archiveOlder: () => navigation.actAndStep('archive', 1),
    archiveNewer: () => navigation.actAndStep('archive', -1),
    trash: () => navigation.act('trash'),
    spam: () => navigation.act('spam'),
    star: () => navigation.act(navigation.targets.every((row) => row.starred) ? 'unstar' : 'star'),
    read: () => navigation.act('read'),
    unread: () => navigation.act('unread'),
    label: () => navigation.pick('label'),
    move: () => navigation.pick('move'),
    undo: () => toasts.undo(),
    compose: () => void mailbox.composers.compose(),
    reply: reply('reply'),
    replyAll: reply('replyAll'),
    forward: reply('forward'),
    goInbox: go('INBOX'),
    goStarred: go('STARRED'),
    goSent: go('SENT'),
    goDrafts: go('DRAFT'),
    goAll: go('ALL'),
    search: page.focusSearch,
    palette: page.togglePalette,
    help: page.toggleHelp,
  };

  const applies = (id: KeyId) => () => {
    const { where, acts } = keys[id];
    if (id === 'undo') return toasts.items.some((toast) => toast.action);
    if (acts && navigation.targets.length === 0) return false;
    return where === undefined || (where === 'conversation') === reading();
  };
  return keyIds
    .map((id) => ({ ...keys[id], id, keys: choices.of(id), run: runs[id], when: applies(id) }))
    .filter((key) => choices.on || key.fixed || key.keys.includes('$mod'));
}
