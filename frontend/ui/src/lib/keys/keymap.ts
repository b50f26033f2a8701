/** What a key does: its default, its line in the help sheet, and where it works. One table, for all who bind or show keys. */
export interface Key {
  /** in tinykeys' notation: "Shift+I", "g i", "$mod+Enter" */
  keys: string;
  group: 'Move' | 'Act' | 'Write' | 'Go to' | 'Page';
  label: string;
  /** absent: in lists and in conversations */
  where?: 'list' | 'conversation';
  /** It acts on the open, chosen or current conversations, and does nothing without one. */
  acts?: true;
  /** It works in text fields too. */
  typing?: true;
  /** It belongs to everybody's keyboard (arrows, Enter, Escape) and can neither be changed nor switched off. */
  fixed?: true;
}

/** Every key of the mailbox. Gmail's letters, so that fingers need not learn anything. */
export const keymap = {
  older: { keys: 'j', group: 'Move', label: 'Older conversation' },
  newer: { keys: 'k', group: 'Move', label: 'Newer conversation' },
  down: { keys: 'ArrowDown', group: 'Move', label: 'Older conversation', where: 'list', fixed: true },
  up: { keys: 'ArrowUp', group: 'Move', label: 'Newer conversation', where: 'list', fixed: true },
  open: { keys: 'o', group: 'Move', label: 'Open', where: 'list' },
  enter: { keys: 'Enter', group: 'Move', label: 'Open', where: 'list', fixed: true },
  back: { keys: 'u', group: 'Move', label: 'Back to the list', where: 'conversation' },
  leave: { keys: 'Escape', group: 'Move', label: 'Back to the list', where: 'conversation', fixed: true },
  nextMessage: { keys: 'n', group: 'Move', label: 'Next message', where: 'conversation' },
  previousMessage: { keys: 'p', group: 'Move', label: 'Previous message', where: 'conversation' },
  clear: { keys: 'Escape', group: 'Act', label: 'Clear the selection', where: 'list', fixed: true },
  select: { keys: 'x', group: 'Act', label: 'Select', where: 'list' },
  selectAll: { keys: '* a', group: 'Act', label: 'Select all', where: 'list' },
  archive: { keys: 'e', group: 'Act', label: 'Archive', acts: true },
  archiveOlder: { keys: '[', group: 'Act', label: 'Archive and open the older one', where: 'conversation' },
  archiveNewer: { keys: ']', group: 'Act', label: 'Archive and open the newer one', where: 'conversation' },
  trash: { keys: '#', group: 'Act', label: 'Move to Trash', acts: true },
  spam: { keys: '!', group: 'Act', label: 'Report spam', acts: true },
  star: { keys: 's', group: 'Act', label: 'Star', acts: true },
  read: { keys: 'Shift+I', group: 'Act', label: 'Mark as read', acts: true },
  unread: { keys: 'Shift+U', group: 'Act', label: 'Mark as unread', acts: true },
  label: { keys: 'l', group: 'Act', label: 'Labels…', acts: true },
  move: { keys: 'v', group: 'Act', label: 'Move to…', acts: true },
  undo: { keys: 'z', group: 'Act', label: 'Undo' },
  compose: { keys: 'c', group: 'Write', label: 'New message' },
  reply: { keys: 'r', group: 'Write', label: 'Reply', where: 'conversation' },
  replyAll: { keys: 'a', group: 'Write', label: 'Reply to all', where: 'conversation' },
  forward: { keys: 'f', group: 'Write', label: 'Forward', where: 'conversation' },
  goInbox: { keys: 'g i', group: 'Go to', label: 'Inbox' },
  goStarred: { keys: 'g s', group: 'Go to', label: 'Starred' },
  goSent: { keys: 'g t', group: 'Go to', label: 'Sent' },
  goDrafts: { keys: 'g d', group: 'Go to', label: 'Drafts' },
  goAll: { keys: 'g a', group: 'Go to', label: 'All mail' },
  search: { keys: '/', group: 'Page', label: 'Search' },
  palette: { keys: '$mod+k', group: 'Page', label: 'Find anything', typing: true },
  help: { keys: '?', group: 'Page', label: 'Keyboard shortcuts' },
} satisfies Record<string, Key>;

export type KeyId = keyof typeof keymap;
/** The table as one type, for code that does not ask which key it is. */
export const keys: Record<KeyId, Key> = keymap;
export const keyIds = Object.keys(keymap) as KeyId[];
