/** Human access for the mock server: invented requests that move as the real ones would, and prove nothing. */
import { randomUUID } from 'node:crypto';

const minute = 60_000;
const ago = (ms) => new Date(Date.now() - ms).toISOString();
const ahead = (ms) => new Date(Date.now() + ms).toISOString();
const decision = () => `01a20ab5-${randomUUID().slice(9)}`;

const sam = { name: 'Sam Support', role: 'Support', employer: 'Example Mail GmbH', country: 'Germany' };
const pat = { name: 'Pat Approver', role: 'Approver', employer: 'Example Mail GmbH', country: 'Germany' };
const text = {
  version: 1,
  sha256: '6fb2a3c6'.repeat(8),
  plain:
    'I let the person named here look at the messages listed here, and at nothing else of my mailbox, to help with the case named here.\n\n' +
    'They see them on a screen of this service only, for the time named here. They cannot download, forward or print them. Every look is recorded and I can read the record.\n\n' +
    'I can take this back at any moment in Settings, under “Who may see my mail”. What has been seen by then cannot be unseen.\n\n' +
    'Nothing in these messages is used for anything but this case.',
};
const rules = {
  version: 1,
  sha256: '0d9e'.repeat(16),
  plain:
    'You may look at a message only if its owner agreed to that very message, and only for the case named in the request.\n\n' +
    'You tell nobody what you saw, except the owner and whoever works on the same case. You take no copy, no photograph, no note of what the case does not need.\n\n' +
    'Every look is recorded with your name and shown to the owner.\n\n' +
    'There is no other way to see a message: not in an emergency, not on a manager’s word.',
};

let requests;
let acknowledged;

export function resetAccess(threads) {
  const id = (i, m = 0) => threads[i].messages.at(m).id;
  acknowledged = ago(9 * 24 * 60 * minute);
  const common = { account: 'acc1', ownerChooses: false, minutes: 60, views: [], created: ago(50 * minute) };
  requests = [
    {
      ...common,
      id: randomUUID(),
      state: 'pending',
      case: '4711',
      reason:
        'You wrote that the agenda opens as an empty page. We can repeat it with no message of our own and need to see how this one is built.',
      requester: sam,
      approver: pat,
      messages: [
        { id: id(0), attachments: false },
        { id: id(2), attachments: false },
      ],
      asked: ago(40 * minute),
      answerBy: ahead(12 * 60 * minute - 40 * minute),
      text,
    },
    {
      ...common,
      id: randomUUID(),
      state: 'active',
      case: '4698',
      reason: 'The newsletter is shown wider than the page on your phone.',
      requester: sam,
      approver: pat,
      messages: [{ id: id(9), attachments: false, offered: true }],
      asked: ago(35 * minute),
      answerBy: ahead(11 * 60 * minute),
      agreedAt: ago(14 * minute),
      endsAt: ahead(46 * minute),
      text,
      views: [
        { at: ago(5 * minute), message: id(9), attachment: false, decision: decision() },
        { at: ago(11 * minute), message: id(9), attachment: false, decision: decision() },
      ],
    },
    {
      ...common,
      id: randomUUID(),
      state: 'offered',
      case: '',
      reason: '',
      note: 'The photo link does not open.',
      minutes: 30,
      messages: [{ id: id(6), attachments: false, offered: true }],
    },
    {
      ...common,
      id: randomUUID(),
      state: 'requested',
      case: '4720',
      reason: 'The reminder has the wrong time zone.',
      requester: { ...sam, name: 'Kim Support' },
      messages: [],
      ownerChooses: true,
    },
    {
      ...common,
      id: randomUUID(),
      state: 'refused',
      case: '4610',
      reason: 'The invoice could not be opened.',
      answer: 'I solved it myself, thank you.',
      requester: sam,
      approver: pat,
      messages: [{ id: id(1), attachments: false }],
      created: ago(6 * 24 * 60 * minute),
      text,
    },
  ];
}

const history = () => ({
  entries: [
    ...requests
      .flatMap((request) => request.views.map((view) => ({ request, view })))
      .map(({ request, view }) => ({
        at: view.at,
        who: { kind: 'staff', name: request.requester.name },
        what: 'read a message',
        why: `support, case ${request.case}`,
        message: view.message,
        rule: 'agreement',
        clauses: ['LU-HUM-1', 'LU-USE-1'],
        decision: view.decision,
        allowed: true,
        request: request.id,
      })),
    {
      at: ago(3 * 60 * minute),
      who: { kind: 'staff', name: 'Kim Support' },
      what: 'tried, and was refused: read a message',
      why: 'support, case 4720',
      message: requests[0].messages[1].id,
      clauses: ['LU-HUM-1'],
      decision: '01a20ab5-6787-7c22-89bb-dd0c6de5ddeb',
      allowed: false,
    },
    {
      at: ago(4 * 60 * minute),
      who: { kind: 'service', name: 'Live updates' },
      what: 'asked Gmail what is new',
      why: 'keeping the page up to date',
      rule: 'standing_instruction',
      clauses: ['LU-USE-1'],
      decision: '01a20ab5-678b-79dd-b6ec-8008ead0407b',
      allowed: true,
    },
  ],
});

/** What the person of this mode may do with a request. */
function mayDo({ state, requester }, mode) {
  const mine = requester?.name === 'Sam Support' && mode === 'support';
  if (state === 'offered') return mode === 'support' ? ['take'] : [];
  if (state === 'requested') return mine ? ['withdraw'] : ['approve', 'decline'];
  if (state === 'pending') return mine ? ['withdraw'] : [];
  return state === 'active' && mine ? ['view', 'close'] : [];
}

function seenByStaff(request, mode) {
  const shown = { ...request };
  delete shown.account;
  delete shown.text;
  return {
    ...shown,
    mailbox: 'alice@example.com',
    mine: request.requester?.name === 'Sam Support' && mode === 'support',
    may: mayDo(request, mode),
  };
}

/** Answers the calls of human access, or undefined for every other. */
export function access(mode, method, path, body, { threads, messageOf, problem }) {
  const [, , area, kind, id, verb] = path.split('/');
  const request = requests.find((each) => each.id === id);
  if (path === '/api/access/requests') return { requests: mode === 'untouched' ? [] : requests };
  if (area === 'access' && kind === 'requests' && request) {
    if (verb === 'agree') return { redirect: `/__agree?${new URLSearchParams({ id, chosen: JSON.stringify(body) })}` };
    if (verb === 'refuse') Object.assign(request, { state: 'refused', answer: body.note ?? '' });
    if (verb === 'revoke') Object.assign(request, { state: 'revoked', answer: body.note ?? '', endsAt: ago(0) });
    return [204];
  }
  if (path.endsWith('/access/offers')) {
    const messages = body.messages.map((message) => ({ ...message, offered: true }));
    const offer = { ...body, messages, id: randomUUID(), account: 'acc1', state: 'offered', case: '', reason: '' };
    requests.unshift({ ...offer, ownerChooses: false, created: ago(0), views: [] });
    return [201, requests[0]];
  }
  if (path.endsWith('/access/history')) return mode === 'untouched' ? { entries: [] } : history();
  if (path === '/api/staff/acknowledgement') {
    if (method === 'POST') acknowledged = ago(0);
    if (mode === 'unread-rules' && method === 'GET') acknowledged = undefined;
    return { text: rules, due: !acknowledged, ...(acknowledged && { acknowledgedAt: acknowledged }) };
  }
  if (path === '/api/staff/requests' && method === 'GET')
    return { requests: requests.map((each) => seenByStaff(each, mode)) };
  if (path === '/api/staff/requests') {
    const messages = body.messages.map((message) => ({ id: message, attachments: false }));
    const fresh = { ...body, messages, id: randomUUID(), account: 'acc1', state: 'requested', requester: sam };
    requests.unshift({ ...fresh, created: ago(0), views: [], text });
    return [201, seenByStaff(requests[0], mode)];
  }
  if (area !== 'staff' || kind !== 'requests') return undefined;
  if (!request) return problem(404, 'not_found', 'There is no such request');
  if (verb === 'messages') {
    const message = threads.flatMap((thread) => thread.messages).find((each) => each.id === path.split('/').at(-1));
    if (request.state !== 'active')
      return problem(403, 'policy_denied', 'This access is not allowed', {
        clauses: ['LU-HUM-1'],
        decisionId: decision(),
      });
    const view = { at: ago(0), message: message.id, attachment: false, decision: decision() };
    request.views.unshift(view);
    const { from, to, cc, date, subject, attachments } = messageOf(message);
    return {
      ...{ from, to, cc, date, subject, decision: view.decision, attachmentsAgreed: false },
      attachments: attachments.map(({ partId, name, type, size }) => ({ part: partId, name, type, size })),
      watermark: `Sam Support, case ${request.case}, ${view.at}`,
      bodyUrl: `/staff/body/${request.id}/${message.id}`,
    };
  }
  const next = {
    approve: { state: 'pending', approver: pat, asked: ago(0), answerBy: ahead(12 * 60 * minute), text },
    decline: { state: 'declined', answer: body.note },
    take: { ...body, state: 'requested', requester: sam },
    withdraw: { state: 'withdrawn' },
    close: { state: 'closed', endsAt: ago(0) },
  };
  Object.assign(request, next[verb]);
  return seenByStaff(request, mode);
}

/** What comes back from Google: here, whatever was asked for. */
export function agreed(query) {
  const request = requests.find(({ id }) => id === query.get('id'));
  const { messages } = JSON.parse(query.get('chosen'));
  const endsAt = ahead(request.minutes * minute);
  Object.assign(request, { state: 'active', messages, agreedAt: ago(0), endsAt });
}
