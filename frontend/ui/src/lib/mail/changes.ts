import type { ThreadRow } from '../api/types';

/** What a list shows: a label's conversations ("ALL" for all mail), or those that match a search. */
export type Source = { kind: 'label'; label: string } | { kind: 'search'; query: string };

export const sourceKey = (source: Source): string =>
  source.kind === 'label' ? `label:${source.label}` : `search:${source.query}`;

/** A change of labels on whole conversations, as Gmail knows them. */
export interface LabelChange {
  add: string[];
  remove: string[];
}

/** Moving to the trash and back are calls of their own at Gmail, but look like label changes in a list. */
export const trashChange: LabelChange = { add: ['TRASH'], remove: ['INBOX'] };
export const untrashChange: LabelChange = { add: [], remove: ['TRASH'] };

/** Labels whose lists keep a row that has just lost them, so that a star taken by mistake can be given back. */
const lingering = new Set(['STARRED', 'UNREAD', 'IMPORTANT']);

export function applyLabels(labelIds: string[], { add, remove }: LabelChange): string[] {
  const kept = labelIds.filter((id) => !remove.includes(id));
  return [...kept, ...add.filter((id) => !kept.includes(id))];
}

export function applyToRow(row: ThreadRow, change: LabelChange): ThreadRow {
  const labelIds = applyLabels(row.labelIds, change);
  return { ...row, labelIds, unread: labelIds.includes('UNREAD'), starred: labelIds.includes('STARRED') };
}

/** Whether a list still shows a conversation after a change. */
export function stays(before: ThreadRow, after: ThreadRow, source: Source): boolean {
  const has = (label: string) => after.labelIds.includes(label);
  if (source.kind === 'label' && source.label !== 'ALL') {
    return lingering.has(source.label) || has(source.label) || !before.labelIds.includes(source.label);
  }
  const gone = (label: string) => has(label) && !before.labelIds.includes(label);
  return !gone('TRASH') && !gone('SPAM');
}

/** Conversations with the part of a change that really changes them. */
export interface Part {
  rows: ThreadRow[];
  change: LabelChange;
}

/** Sorts conversations by what a change does to each, so that undoing it gives every one back what it had. */
export function byEffect(rows: ThreadRow[], { add, remove }: LabelChange): Part[] {
  const parts = new Map<string, Part>();
  for (const row of rows) {
    const change = {
      add: add.filter((id) => !row.labelIds.includes(id)),
      remove: remove.filter((id) => row.labelIds.includes(id)),
    };
    if (change.add.length + change.remove.length === 0) continue;
    const key = JSON.stringify(change);
    const part = parts.get(key);
    if (part) part.rows.push(row);
    else parts.set(key, { rows: [row], change });
  }
  return [...parts.values()];
}
