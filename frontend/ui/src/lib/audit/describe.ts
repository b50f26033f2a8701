import type { DecisionEvent } from '../api/types';
import { count, fileSize } from '../format/size';

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

/** What an outcome says of itself: it names its decision and counts, and repeats nothing else of it. */
export function outcomeOf({ kind, body }: DecisionEvent): { decision?: number; items?: number; bytes?: number } {
  if (kind !== 'outcome') return {};
  const found: { decision?: number; items?: number; bytes?: number } = {};
  for (const name of ['decision', 'items', 'bytes'] as const) {
    const value = body[name];
    if (typeof value === 'number') found[name] = value;
  }
  return found;
}

export function describe(event: DecisionEvent): Description {
  const { decision, items, bytes } = outcomeOf(event);
  const who = actors[event.actorKind ?? ''] ?? (event.actorKind ? `A ${plain(event.actorKind)}` : 'Somebody');
  const what = plain(event.operation ?? 'an operation');
  const why = [event.purpose, event.feature].filter(Boolean).map((name) => plain(name ?? ''));
  const lines = [
    { name: 'Who', value: event.actorKind ? [who, event.actor].filter(Boolean).join(', ') : '' },
    { name: 'What', value: event.operation ? what : '' },
    { name: 'Whose mail', value: event.account ?? '' },
    { name: 'Why', value: why.length === 2 ? `${why[0]}, in ${why[1]}` : (why[0] ?? '') },
    { name: 'On what basis', value: event.basis ? plain(event.basis) : '' },
    { name: event.allowed === false ? 'Refused by clauses' : 'Clauses', value: (event.clauses ?? []).join(', ') },
    { name: 'Outcome', value: event.outcome ? plain(event.outcome) : '' },
    { name: 'Of the decision at', value: decision === undefined ? '' : String(decision) },
    { name: 'Items', value: items === undefined ? '' : count(items) },
    { name: 'Size', value: bytes ? fileSize(bytes) : '' },
    { name: 'Decision', value: event.decisionId ?? '' },
    { name: 'Place in the log', value: String(event.index) },
  ].filter(({ value }) => value !== '');
  return { headline: headline(event, who, what), lines };
}

function headline(event: DecisionEvent, who: string, what: string): string {
  const { kind, allowed, outcome } = event;
  const { decision } = outcomeOf(event);
  const end = outcome === 'done' ? 'was carried out' : `ended as “${plain(outcome ?? 'unknown')}”`;
  if (decision !== undefined) return `What was decided at ${decision} ${end}.`;
  if (kind === 'lifecycle') return `The service recorded: ${what}.`;
  if (kind === 'outcome') return `${who}: ${what} ${end}.`;
  return `${who} was ${allowed ? 'allowed' : 'refused'}: ${what}.`;
}
