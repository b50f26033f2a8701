import type { Label, ThreadRow } from '../api/types';
import type { LabelChange } from './changes';
import { labelName } from './label-tree';

/** A label in the picker, with how many of the conversations have it. */
export interface Choice {
  id: string;
  /** the whole name: "Work/Atlas" */
  name: string;
  has: 'all' | 'some' | 'none';
  label: Label;
}

/** Where a conversation can be moved to besides a label of one's own. */
const places = ['INBOX', 'SPAM', 'TRASH'];

/** The labels to choose from: one's own, and for moving the places that Gmail keeps. */
export function choicesOf(
  kind: 'label' | 'move',
  labels: Label[],
  rows: ThreadRow[],
  current: string | null,
): Choice[] {
  const own = labels.filter(({ type }) => type === 'user').sort((a, b) => a.name.localeCompare(b.name));
  const system = kind === 'move' ? labels.filter(({ id }) => places.includes(id)) : [];
  return [...system, ...own]
    .filter(({ id }) => kind === 'label' || id !== current)
    .map((label) => {
      const n = rows.filter((row) => row.labelIds.includes(label.id)).length;
      const has = n === 0 ? 'none' : n === rows.length ? 'all' : 'some';
      return { id: label.id, name: label.type === 'user' ? label.name : labelName(label), has, label };
    });
}

/** Those whose name has every word that was typed; one that begins with it comes first. */
export function matching(choices: Choice[], typed: string): Choice[] {
  const words = typed
    .toLowerCase()
    .split(/[\s/]+/)
    .filter(Boolean);
  const fits = choices.filter(({ name }) => words.every((word) => name.toLowerCase().includes(word)));
  const first = words[0];
  if (!first) return fits;
  const begins = ({ name }: Choice) =>
    name
      .toLowerCase()
      .split(/[\s/]+/)
      .some((part) => part.startsWith(first));
  return [...fits.filter(begins), ...fits.filter((choice) => !begins(choice))];
}

/** What the ticks come to, as against how things were. */
export function changeOf(choices: Choice[], ticks: ReadonlyMap<string, boolean>): LabelChange {
  const change: LabelChange = { add: [], remove: [] };
  for (const { id, has } of choices) {
    const tick = ticks.get(id);
    if (tick === true && has !== 'all') change.add.push(id);
    if (tick === false && has !== 'none') change.remove.push(id);
  }
  return change;
}
