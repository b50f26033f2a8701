import type { ThreadRow } from '../api/types';
import type { Shortcut } from '../keys/registry';
import type { Toasts } from '../state/toasts.svelte';
import type { Mailbox } from './mailbox.svelte';
import type { Navigation } from './navigation.svelte';

interface Reach {
  mailbox: Mailbox;
  navigation: Navigation;
  toasts: Toasts;
  open: (row: ThreadRow) => void;
  focusSearch: () => void;
  toggleHelp: () => void;
}

/** Every key of the mailbox. Gmail's letters, so that fingers need not learn anything. */
export function shortcuts({ mailbox, navigation, toasts, open, focusSearch, toggleHelp }: Reach): Shortcut[] {
  const reading = () => navigation.conversation !== null;
  const listing = () => !reading();
  const openCursor = () => {
    const row = navigation.list?.rows[navigation.list.cursor];
    if (row) open(row);
  };
  const reply = (kind: 'reply' | 'replyAll' | 'forward') => () => {
    const last = navigation.conversation?.data?.messages.findLast((message) => !message.draft);
    if (last) mailbox.composers.reply(last, kind);
  };
  const star = () => {
    const row = navigation.targets[0];
    if (row) navigation.act(row.starred ? 'unstar' : 'star');
  };
  const toggle = () => {
    const row = navigation.list?.rows[navigation.list.cursor];
    if (row) navigation.list?.toggle(row.id);
  };
  const goTo = (keys: string, label: string, id: string): Shortcut => ({
    keys,
    group: 'Go to',
    label,
    run: () => navigation.toLabel(id),
  });

  return [
    { keys: 'j', group: 'Move', label: 'Older conversation', run: () => navigation.step(1) },
    { keys: 'k', group: 'Move', label: 'Newer conversation', run: () => navigation.step(-1) },
    { keys: 'ArrowDown', group: 'Move', label: 'Older conversation', run: () => navigation.step(1), when: listing },
    { keys: 'ArrowUp', group: 'Move', label: 'Newer conversation', run: () => navigation.step(-1), when: listing },
    { keys: 'o', group: 'Move', label: 'Open', run: openCursor, when: listing },
    { keys: 'Enter', group: 'Move', label: 'Open', run: openCursor, when: listing },
    { keys: 'u', group: 'Move', label: 'Back to the list', run: () => navigation.back(), when: reading },
    { keys: 'Escape', group: 'Move', label: 'Back to the list', run: () => navigation.back(), when: reading },
    {
      keys: 'Escape',
      group: 'Act',
      label: 'Clear the selection',
      run: () => navigation.list?.selected.clear(),
      when: listing,
    },
    { keys: 'x', group: 'Act', label: 'Select', run: toggle, when: listing },
    { keys: '* a', group: 'Act', label: 'Select all', run: () => navigation.list?.selectAll(), when: listing },
    { keys: 'e', group: 'Act', label: 'Archive', run: () => navigation.act('archive') },
    { keys: '#', group: 'Act', label: 'Move to Trash', run: () => navigation.act('trash') },
    { keys: '!', group: 'Act', label: 'Report spam', run: () => navigation.act('spam') },
    { keys: 's', group: 'Act', label: 'Star', run: star },
    { keys: 'Shift+I', group: 'Act', label: 'Mark as read', run: () => navigation.act('read') },
    { keys: 'Shift+U', group: 'Act', label: 'Mark as unread', run: () => navigation.act('unread') },
    { keys: 'z', group: 'Act', label: 'Undo', run: () => toasts.undo() },
    { keys: 'c', group: 'Write', label: 'New message', run: () => void mailbox.composers.compose() },
    { keys: 'r', group: 'Write', label: 'Reply', run: reply('reply'), when: reading },
    { keys: 'a', group: 'Write', label: 'Reply to all', run: reply('replyAll'), when: reading },
    { keys: 'f', group: 'Write', label: 'Forward', run: reply('forward'), when: reading },
    goTo('g i', 'Inbox', 'INBOX'),
    goTo('g s', 'Starred', 'STARRED'),
    goTo('g t', 'Sent', 'SENT'),
    goTo('g d', 'Drafts', 'DRAFT'),
    goTo('g a', 'All mail', 'ALL'),
    { keys: '/', group: 'Page', label: 'Search', run: focusSearch },
    { keys: '?', group: 'Page', label: 'Keyboard shortcuts', run: toggleHelp },
  ];
}
