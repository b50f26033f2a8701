import type { DecisionEvent } from '../api/types';

/** An event of the log in words: what an auditor asks of it, in the order they ask. */
export interface Description {
  /** one sentence */
  headline: string;
  lines: { name: string; value: string }[];
}

const actors: Record<string, string> = {
  owner: 'The mailbox owner',
  support: 'A support person',
  staff: 'A member of staff',
  approver: 'An approver',
  auditor: 'An auditor',
  reviewer: 'A reviewer',
  system: 'The system',
  service: 'A service',
};

/** "read_message" -> "read message": the log's names, readable. */
export const plain = (name: string): string => name.replace(/[._-]+/g, ' ').trim();

export function describe(event: DecisionEvent): Description {
  const who = actors[event.actorKind ?? ''] ?? (event.actorKind ? `A ${plain(event.actorKind)}` : 'Somebody');
  const what = plain(event.operation ?? 'an operation');
  const why = [event.purpose, event.feature].filter(Boolean).map((name) => plain(name ?? ''));
  const lines = [
    { name: 'Who', value: [who, event.actor].filter(Boolean).join(', ') },
    { name: 'What', value: what },
    { name: 'Whose mail', value: event.account ?? '' },
    { name: 'Why', value: why.length === 2 ? `${why[0]}, in ${why[1]}` : (why[0] ?? '') },
    { name: 'On what basis', value: event.basis ? plain(event.basis) : '' },
    { name: event.allowed === false ? 'Refused by clauses' : 'Clauses', value: (event.clauses ?? []).join(', ') },
    { name: 'Outcome', value: event.outcome ? plain(event.outcome) : '' },
    { name: 'Decision', value: event.decisionId ?? '' },
    { name: 'Place in the log', value: String(event.index) },
  ].filter(({ value }) => value !== '');
  return { headline: headline(event, who, what), lines };
}

function headline({ kind, allowed, outcome }: DecisionEvent, who: string, what: string): string {
  if (kind === 'lifecycle') return `The service recorded: ${what}.`;
  if (kind === 'outcome')
    return `${who}: ${what} ${outcome === 'done' ? 'was carried out' : `ended as “${plain(outcome ?? 'unknown')}”`}.`;
  return `${who} was ${allowed ? 'allowed' : 'refused'}: ${what}.`;
}
