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

/** Whether two entries are readings of the same thing by the same person for the same reason. */
export const isSameLook = (a: AccessEntry, b: AccessEntry): boolean =>
  a.message !== undefined &&
  a.message === b.message &&
  a.what === b.what &&
  a.why === b.why &&
  a.allowed === b.allowed &&
  whoOf(a.who) === whoOf(b.who);

const rules: Record<string, string> = {
  agreement: 'your agreement',
  standing_instruction: 'what you had asked for',
  transfer: 'your permission',
  platform_caller: 'your permission for this service',
};

/** Why it happened and under which rule, in one line. */
export function reasonOf({ why, rule = '', clauses, allowed }: Omit<AccessEntry, 'at' | 'decision' | 'what' | 'who'>) {
  const named = clauses.length > 0 ? ` (${clauses.join(', ')})` : '';
  const verdict = allowed ? `Allowed by: ${rules[rule] ?? rule.replaceAll('_', ' ')}` : 'Refused by the rules';
  return `Why: ${why.replace(/\.$/, '')}. ${verdict}${named}`;
}
