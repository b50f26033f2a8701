/** Gmail's search operators that are worth a button. */
export const filters = [
  { label: 'Has attachment', term: 'has:attachment' },
  { label: 'Unread', term: 'is:unread' },
  { label: 'Starred', term: 'is:starred' },
  { label: 'Last 7 days', term: 'newer_than:7d' },
  { label: 'Last 12 months', term: 'newer_than:1y' },
  { label: 'From me', term: 'from:me' },
] as const;

const words = (query: string): string[] => query.split(/\s+/).filter(Boolean);

export const hasTerm = (query: string, term: string): boolean => words(query).includes(term);

/** Adds an operator, or takes it away; of two ages only one makes sense. */
export function toggleTerm(query: string, term: string): string {
  const name = term.slice(0, term.indexOf(':') + 1);
  const others = words(query).filter((word) => word !== term && !(name === 'newer_than:' && word.startsWith(name)));
  return (hasTerm(query, term) ? others : [...others, term]).join(' ');
}
