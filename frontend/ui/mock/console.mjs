/** The auditor's console of the mock server, beside the events themselves: invented, like they are. */
import { decisions } from './decisions.mjs';

const dayMs = 86_400_000;
const iso = (ms) => new Date(ms).toISOString();
const day = (ms) => iso(ms).slice(0, 10);
const one = (index) => decisions(new URLSearchParams({ before: String(index + 1), limit: '1' })).events[0];

let searches = [{ id: 's1', name: 'Refused staff', query: 'allowed=false&actorKind=staff' }];
let reviews = [];

function summary() {
  const now = Date.now();
  const days = Array.from({ length: 34 }, (_, i) => {
    const weekday = (i + 2) % 7;
    return {
      day: day(now - (33 - i) * dayMs),
      allowed: weekday > 4 ? 210 + i : 900 + ((i * 373) % 420),
      refused: (i * 7) % 11,
    };
  });
  const group = (by, name, allowed, refused = 0) => ({
    by,
    name,
    allowed,
    refused,
    ...((by === 'clause' || by === 'purpose') && {
      days: days.map((each, i) => ({
        day: each.day,
        allowed: Math.round((each.allowed * allowed) / 32_000),
        refused: refused > 0 ? (i * name.length) % 5 : 0,
      })),
    }),
  });
  return {
    size: 48_213,
    days,
    groups: [
      group('clause', 'LU-USE-1', 31_044, 4),
      group('clause', 'DISC-2', 0, 92),
      group('clause', 'LU-HUM-1', 12, 9),
      group('purpose', 'inbox.read', 24_911, 90),
      group('purpose', 'inbox.sync', 6_020),
      group('purpose', 'support.view', 12, 9),
      group('feature', 'thread_view', 14_320, 41),
      group('feature', 'thread_list', 10_591, 51),
      group('feature', 'live_updates', 6_020),
      group('actorKind', 'owner', 30_931, 93),
      group('actorKind', 'service', 1_113, 3),
      group('actorKind', 'staff', 12, 9),
      group('way', 'read', 22_840, 95),
      group('way', 'prefetched', 7_133, 1),
      group('way', 'changed', 1_988, 9),
    ],
  };
}

function detail(index) {
  const event = one(index);
  const refused = event.allowed === false;
  return {
    event,
    related:
      event.kind === 'decision' && event.allowed
        ? [{ ...event, index: index + 1, kind: 'outcome', outcome: 'done', body: { decision: index, items: 1 } }]
        : [],
    input:
      event.kind === 'lifecycle'
        ? []
        : [
            {
              name: 'Who',
              value: refused
                ? 'a member of staff, p_7f2k, as support, with a second factor'
                : "the mailbox's owner, at the page, p_7f2k",
            },
            { name: 'Did what', value: 'read a message (messages.get)' },
            { name: 'To what', value: '1 message: kQ3vXb8mNw2pT7dWq1RzYg' },
            {
              name: 'What for',
              value: refused ? 'show a message to support when its owner agreed' : 'show mail to its owner',
            },
            { name: 'In which feature', value: refused ? 'agreed view' : 'message view' },
            { name: 'Which kinds of data', value: 'body, header, metadata' },
            {
              name: 'Of whose mailbox',
              value: 'a_9f3kq2xw, connected, agreed to disclosure 2 on 2026-10-02 09:14:00 UTC',
            },
            { name: 'Who got it', value: 'nobody but the one who asked' },
          ],
    steps:
      event.kind !== 'decision'
        ? []
        : [
            {
              rule: refused ? 'webmail.floor.seen_by_whom_it_may' : 'webmail.access.owner_at_page',
              title: refused ? 'Seen by whom it may' : 'Owner at the page',
              about: refused
                ? 'Mail is for its owner’s eyes; the log, which holds no mail, is for auditors and reviewers.'
                : 'A colleague, a delegate or an administrator is not the owner, whatever the company’s own rules say.',
              holds: !refused,
              speaks: !refused,
              clauses: ['LU-HUM-1'],
              facts: [
                { name: 'kind of actor', value: refused ? 'staff' : 'owner' },
                { name: 'owner of the mailbox', value: 'p_7f2k' },
              ],
            },
            {
              rule: 'webmail.access.consented',
              title: 'Consented',
              about: 'The owner agreed to a disclosure, before now.',
              holds: !refused,
              speaks: !refused,
              clauses: ['DISC-2'],
              facts: [{ name: 'disclosure agreed to', value: '2' }],
            },
          ],
    clauses: (event.clauses ?? []).map((id) => ({
      id,
      says: 'Mail is used only to provide the features of the inbox that the user sees.',
      sources: ['Google API Services User Data Policy, Limited Use'],
    })),
    revision: '4be1c0ffee5511aa90de4be1c0ffee5511aa90de4be1c0ffee5511aa90deabcd',
    kept: true,
    builtIn: true,
  };
}

function humanAccess() {
  const at = (index, kind, operation, more) => ({
    index,
    kind,
    operation,
    time: iso(Date.now() - (48_212 - index) * 97_000),
    account: 'a_9f3kq2xw',
    body: {},
    ...more,
  });
  return {
    complete: true,
    without: [
      at(48_100, 'decision', 'messages.get', {
        allowed: false,
        clauses: ['LU-HUM-1'],
        actorKind: 'staff',
        decisionId: '01JDX',
      }),
    ],
    agreements: [
      {
        agreement: 'Zk1vXb8mNw2pT7dWq1RzYg',
        account: 'a_9f3kq2xw',
        steps: [
          at(47_900, 'lifecycle', 'access.asked', { actorKind: 'staff' }),
          at(47_905, 'lifecycle', 'access.approved', { actorKind: 'staff' }),
          at(47_950, 'lifecycle', 'access.agreed', { actorKind: 'owner' }),
          at(48_020, 'lifecycle', 'access.revoked', { actorKind: 'owner' }),
        ],
        views: [
          at(47_960, 'decision', 'messages.get', {
            allowed: true,
            clauses: ['LU-HUM-1'],
            actorKind: 'staff',
            decisionId: '01JDA',
          }),
          at(48_030, 'decision', 'messages.get', {
            allowed: false,
            clauses: ['LU-HUM-1'],
            actorKind: 'staff',
            decisionId: '01JDB',
          }),
        ],
      },
    ],
  };
}

function weeks() {
  const now = new Date();
  const monday = Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), now.getUTCDate() - ((now.getUTCDay() + 6) % 7));
  return Array.from({ length: 12 }, (_, i) => {
    const week = `2026-W${48 - i}`;
    const signed = i > 1 || reviews.includes(week);
    return {
      week,
      begins: iso(monday - i * 7 * dayMs),
      allowed: 6_120 - i * 211,
      refused: (i * 5) % 13,
      humanViews: i % 3,
      over: i > 0,
      reviews:
        signed && i > 0
          ? [
              {
                index: 40_000 - i * 900,
                at: iso(monday - (i - 1) * 7 * dayMs + 3.2e7),
                by: 'p_robin4x2',
                treeSize: '40000',
              },
            ]
          : [],
    };
  });
}

/** Answers a call of the console, or undefined. */
export function auditConsole(method, path, query, body) {
  if (path === '/api/audit/summary') return summary();
  if (path === '/api/audit/human-access') return humanAccess();
  if (path === '/api/audit/refusals')
    return {
      since: iso(Date.now() - 30 * dayMs),
      all: true,
      refusers: [
        {
          actorKind: 'staff',
          actor: 'p_sam8w1',
          refusals: 9,
          last: 48_100,
          look: 'staff reached for something that the rules do not give them',
        },
        {
          actorKind: 'service',
          actor: 'crm',
          refusals: 3,
          last: 47_200,
          look: 'a service or the program itself was refused: a consent that is over, or a mistake',
        },
        { actorKind: 'owner', actor: 'p_ada2k3', refusals: 4, last: 46_000 },
      ],
    };
  if (path === '/api/audit/reviews') {
    if (method === 'POST') return (reviews.push(body.week), [204]);
    return { weeks: weeks() };
  }
  if (path === '/api/audit/searches') {
    if (method === 'GET') return { searches };
    const saved = { id: `s${searches.length + 1}`, ...body };
    searches = [...searches, saved];
    return [201, saved];
  }
  if (path.startsWith('/api/audit/searches/'))
    return ((searches = searches.filter(({ id }) => !path.endsWith(id))), [204]);
  if (path.startsWith('/api/audit/policies/'))
    return {
      revision: path.split('/').at(-1),
      files: [
        {
          name: 'floor.rego',
          text: 'package webmail.floor\n\nadmit if {\n\tserves_the_owner\n\tstays_here\n\tseen_by_whom_it_may\n}\n',
        },
      ],
    };
  const found = /^\/api\/audit\/decisions\/(\d+)$/.exec(path);
  return found ? detail(Number(found[1])) : undefined;
}
