import type { ThreadRow } from '../api/types';
import { trashChange, untrashChange, type LabelChange } from './changes';

/** Something a person can do to conversations, and how it is undone. */
export interface Verb {
  change: LabelChange;
  /** the server call: label changes, or Gmail's own way into and out of the trash */
  via: 'modify' | 'trash' | 'untrash';
  /** said when done; n is the number of conversations */
  done: (n: number) => string;
  /** begins the sentence when it was refused */
  failed: string;
  /** whether it would change anything */
  applies: (row: ThreadRow) => boolean;
}

export const conversations = (n: number): string => (n === 1 ? 'Conversation' : `${n} conversations`);
const has = (label: string) => (row: ThreadRow) => row.labelIds.includes(label);
const lacks = (label: string) => (row: ThreadRow) => !row.labelIds.includes(label);

export const verbs = {
  archive: {
    change: { add: [], remove: ['INBOX'] },
    via: 'modify',
    done: (n) => `${conversations(n)} archived`,
    failed: 'Not archived',
    applies: has('INBOX'),
  },
  inbox: {
    change: { add: ['INBOX'], remove: ['SPAM'] },
    via: 'modify',
    done: (n) => `${conversations(n)} moved to the inbox`,
    failed: 'Not moved',
    applies: lacks('INBOX'),
  },
  trash: {
    change: trashChange,
    via: 'trash',
    done: (n) => `${conversations(n)} moved to Trash`,
    failed: 'Not moved to Trash',
    applies: lacks('TRASH'),
  },
  untrash: {
    change: untrashChange,
    via: 'untrash',
    done: (n) => `${conversations(n)} taken out of Trash`,
    failed: 'Not taken out of Trash',
    applies: has('TRASH'),
  },
  spam: {
    change: { add: ['SPAM'], remove: ['INBOX'] },
    via: 'modify',
    done: (n) => `${conversations(n)} marked as spam`,
    failed: 'Not marked as spam',
    applies: lacks('SPAM'),
  },
  read: {
    change: { add: [], remove: ['UNREAD'] },
    via: 'modify',
    done: (n) => `${conversations(n)} marked as read`,
    failed: 'Not marked as read',
    applies: has('UNREAD'),
  },
  unread: {
    change: { add: ['UNREAD'], remove: [] },
    via: 'modify',
    done: (n) => `${conversations(n)} marked as unread`,
    failed: 'Not marked as unread',
    applies: lacks('UNREAD'),
  },
  star: {
    change: { add: ['STARRED'], remove: [] },
    via: 'modify',
    done: (n) => (n === 1 ? 'Starred' : `${n} conversations starred`),
    failed: 'Not starred',
    applies: lacks('STARRED'),
  },
  unstar: {
    change: { add: [], remove: ['STARRED'] },
    via: 'modify',
    done: (n) => (n === 1 ? 'Star removed' : `Star removed from ${n} conversations`),
    failed: 'Star not removed',
    applies: has('STARRED'),
  },
} satisfies Record<string, Verb>;

export type VerbName = keyof typeof verbs;

export const inverse = (change: LabelChange): LabelChange => ({ add: change.remove, remove: change.add });
