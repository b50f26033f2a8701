/** What the decision log is filtered by. It holds pseudonyms and names of rules, no mail, so it may stand in an address. */
export interface Filters {
  kind?: 'decision' | 'outcome' | 'lifecycle';
  allowed?: boolean;
  actor?: string;
  actorKind?: string;
  account?: string;
  purpose?: string;
  feature?: string;
  operation?: string;
  clause?: string;
  outcome?: string;
  decisionId?: string;
  /** points in time, RFC 3339 */
  since?: string;
  until?: string;
}

const texts = [
  'actor',
  'actorKind',
  'account',
  'purpose',
  'feature',
  'operation',
  'clause',
  'outcome',
  'decisionId',
] as const;
const times = ['since', 'until'] as const;
const kinds = ['decision', 'outcome', 'lifecycle'] as const;

/** Reads filters from an address, leaving out what makes no sense. */
export function readFilters(search: string): Filters {
  const query = new URLSearchParams(search);
  const filters: Filters = {};
  const kind = kinds.find((each) => each === query.get('kind'));
  if (kind) filters.kind = kind;
  const allowed = query.get('allowed');
  if (allowed === 'true' || allowed === 'false') filters.allowed = allowed === 'true';
  for (const name of texts) {
    const value = query.get(name)?.trim().slice(0, 64);
    if (value) filters[name] = value;
  }
  for (const name of times) {
    const value = query.get(name) ?? '';
    if (!Number.isNaN(Date.parse(value))) filters[name] = new Date(value).toISOString();
  }
  return filters;
}

export function writeFilters(filters: Filters): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(filters))
    if (value !== undefined && value !== '') query.set(name, String(value));
  const text = query.toString();
  return text ? `?${text}` : '';
}

/** For a datetime-local field, which knows no zone: the person's own. */
export function toLocalField(time: string | undefined): string {
  if (!time) return '';
  const date = new Date(time);
  return new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

/** What the page shows besides the events themselves. */
export const views = [
  { id: 'events', title: 'Events' },
  { id: 'people', title: 'Staff who looked' },
  { id: 'refusals', title: 'Refusals' },
  { id: 'review', title: 'Weekly review' },
] as const;
export type View = (typeof views)[number]['id'];

export function readView(search: string): View {
  const asked = new URLSearchParams(search).get('view');
  return views.find(({ id }) => id === asked)?.id ?? 'events';
}

/** The page's address: what is shown, and the filters when it is events. */
export function auditPath(view: View, filters: Filters = {}): string {
  return view === 'events' ? `/audit${writeFilters(filters)}` : `/audit?view=${view}`;
}

/** Counts by day exist for groups of people, not for one person or mailbox. */
export const countable = (filters: Filters): boolean => !filters.actor && !filters.account && !filters.decisionId;
