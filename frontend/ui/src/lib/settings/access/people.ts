import type { AccessEntry } from '../../api/types';

const kinds: Record<AccessEntry['who']['kind'], string> = {
  staff: 'A member of staff',
  service: 'This service',
  auditor: 'An auditor',
  reviewer: 'A reviewer',
  owner: 'You',
};

/** Who an entry of the history is about, in words. */
export function whoOf({ kind, name }: AccessEntry['who']): string {
  return name ? (kind === 'service' ? name : `${name} (${kind})`) : kinds[kind];
}

/** Whether a person other than the owner is meant; programs that act for the owner are not. */
export const isOtherPerson = ({ kind }: AccessEntry['who']): boolean => kind !== 'service' && kind !== 'owner';

/** Why it happened and under which rule, in one line. */
export function reasonOf({ why, rule, clauses, allowed }: AccessEntry): string {
  const under = rule ? `${allowed ? 'Allowed by' : 'Refused by'}: ${rule}` : '';
  const named = clauses.length > 0 ? ` (${clauses.join(', ')})` : '';
  return [`Why: ${why}`, `${under}${named}`.trim()].filter(Boolean).join('. ');
}
