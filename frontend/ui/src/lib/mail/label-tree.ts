import type { Label } from '../api/types';
import type { IconName } from '../ui/icons';

/** A label in the sidebar: Gmail nests labels by "/" in their names. */
export interface LabelNode {
  /** full name, which is the node's identity */
  path: string;
  /** last part of the name */
  name: string;
  depth: number;
  /** absent for a parent that exists only as part of its children's names */
  label?: Label;
  children: LabelNode[];
}

interface SystemLabel {
  id: string;
  name: string;
  icon: IconName;
  /** what the number beside it counts */
  counts: 'unread' | 'all' | 'nothing';
}

/** The sidebar's fixed part, in its order. "ALL" is this product's name for all mail; Gmail has no label for it. */
export const systemLabels: SystemLabel[] = [
  { id: 'INBOX', name: 'Inbox', icon: 'inbox', counts: 'unread' },
  { id: 'STARRED', name: 'Starred', icon: 'star', counts: 'nothing' },
  { id: 'IMPORTANT', name: 'Important', icon: 'bookmark', counts: 'nothing' },
  { id: 'SENT', name: 'Sent', icon: 'send', counts: 'nothing' },
  { id: 'DRAFT', name: 'Drafts', icon: 'file-pen', counts: 'all' },
  { id: 'ALL', name: 'All mail', icon: 'mails', counts: 'nothing' },
  { id: 'SPAM', name: 'Spam', icon: 'octagon-alert', counts: 'unread' },
  { id: 'TRASH', name: 'Trash', icon: 'trash-2', counts: 'nothing' },
];

export function labelCount(label: Label | undefined, counts: SystemLabel['counts']): number {
  if (!label || counts === 'nothing') return 0;
  if (counts === 'all') return label.threadsTotal ?? label.messagesTotal ?? 0;
  return label.threadsUnread ?? label.messagesUnread ?? 0;
}

/** Labels that say where a message is rather than what it is about; they make no chip. */
const silent = new Set(['UNREAD', 'STARRED', 'IMPORTANT', 'SENT', 'DRAFT', 'CHAT', 'INBOX', 'ALL']);

/** The labels of a row that are worth a chip in a list of `current`. */
export function chipLabels(labelIds: string[], byId: Map<string, Label>, current: string | null): Label[] {
  const chips: Label[] = [];
  for (const id of labelIds) {
    const label = byId.get(id);
    if (!label || id === current || silent.has(id) || id.startsWith('CATEGORY_')) continue;
    chips.push(label);
  }
  return chips;
}

/** What people call a label: system labels by their name here, nested ones by their last part. */
export function labelName(label: Label): string {
  if (label.type === 'system') return systemLabels.find(({ id }) => id === label.id)?.name ?? titled(label.name);
  return label.name.slice(label.name.lastIndexOf('/') + 1);
}

function titled(name: string): string {
  const words = name
    .replace(/^CATEGORY_/, '')
    .toLowerCase()
    .replaceAll('_', ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** Nests user labels. Missing parents appear without a label of their own. Sorted as people read, not as bytes. */
export function labelTree(labels: Label[]): LabelNode[] {
  const roots: LabelNode[] = [];
  const known = new Map<string, LabelNode>();
  const shown = labels.filter((label) => label.type === 'user' && !label.hidden);
  for (const label of shown.sort((a, b) => a.name.localeCompare(b.name))) {
    const node = nodeAt(label.name, known, roots);
    node.label = label;
  }
  return roots;
}

function nodeAt(path: string, known: Map<string, LabelNode>, roots: LabelNode[]): LabelNode {
  const found = known.get(path);
  if (found) return found;
  const slash = path.lastIndexOf('/');
  // A slash at either end is part of the name, not a level.
  const nested = slash > 0 && slash < path.length - 1;
  const parent = nested ? nodeAt(path.slice(0, slash), known, roots) : null;
  const node: LabelNode = {
    path,
    name: nested ? path.slice(slash + 1) : path,
    depth: parent ? parent.depth + 1 : 0,
    children: [],
  };
  known.set(path, node);
  (parent ? parent.children : roots).push(node);
  return node;
}

/** The tree as the sidebar draws it, without what is under a closed parent. */
export function visibleNodes(nodes: LabelNode[], closed: ReadonlySet<string>): LabelNode[] {
  return nodes.flatMap((node) => [node, ...(closed.has(node.path) ? [] : visibleNodes(node.children, closed))]);
}
