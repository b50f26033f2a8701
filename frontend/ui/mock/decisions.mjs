/** An invented decision log for the mock server. */

const kinds = [
  ['decision', 'read_list', 'mail_client', 'inbox', true, ['LU-1'], 'owner'],
  ['outcome', 'read_list', 'mail_client', 'inbox', true, [], 'owner'],
  ['decision', 'read_message', 'mail_client', 'conversation', true, ['LU-1'], 'owner'],
  ['decision', 'read_message', 'support', 'human_view', false, ['LU-4', 'CP-5'], 'support'],
  ['decision', 'send_message', 'mail_client', 'compose', true, ['LU-1'], 'owner'],
  ['outcome', 'send_message', 'mail_client', 'compose', true, [], 'owner'],
  ['lifecycle', 'bundle_activated', '', '', undefined, [], 'system'],
  ['decision', 'export', 'model_training', 'analytics', false, ['LU-3', 'CP-4b'], 'service'],
  ['decision', 'read_log', 'audit', 'decision_log', true, ['CP-6'], 'auditor'],
];

const total = 260;

const events = Array.from({ length: total }, (_, i) => {
  const [kind, operation, purpose, feature, allowed, clauses, actorKind] = kinds[i % kinds.length];
  const index = 48_212 - i;
  const time = new Date(Date.now() - i * 97_000).toISOString();
  const decisionId = `01JD${(index * 7919).toString(36).toUpperCase().padStart(8, '0')}`;
  const actor = `p_${((index * 2654435761) >>> 0).toString(36).slice(0, 8)}`;
  return {
    index,
    kind,
    time,
    ...(kind !== 'lifecycle' && {
      decisionId,
      purpose,
      feature,
      account: 'a_9f3kq2xw',
      clauses,
      allowed,
      basis: allowed ? 'owner_request' : 'none',
    }),
    actorKind,
    actor,
    operation,
    ...(kind === 'outcome' && { outcome: 'done' }),
    body: {
      decision_id: decisionId,
      path: 'webmail/limiteduse/decision',
      timestamp: time,
      bundles: { limiteduse: { revision: '2026.11.2' } },
      input: { actor: { kind: actorKind, id: actor }, operation, purpose, feature, resource: { form: 'ids', n: 1 } },
      result: { allow: allowed, clauses },
    },
  };
});

export function decisions(query) {
  const before = Number(query.get('before') ?? Infinity);
  const limit = Number(query.get('limit') ?? 100);
  const same = ['kind', 'actor', 'account', 'purpose', 'feature', 'operation', 'decisionId'];
  const found = events.filter((event) => {
    if (event.index >= before) return false;
    if (same.some((name) => query.has(name) && query.get(name) !== event[name])) return false;
    if (query.has('allowed') && String(event.allowed) !== query.get('allowed')) return false;
    return !query.has('clause') || event.clauses?.includes(query.get('clause'));
  });
  const shown = found.slice(0, limit);
  return { events: shown, ...(found.length > limit && { next: shown.at(-1).index }) };
}
