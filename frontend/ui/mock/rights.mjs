/** An owner's own data for the mock server. What is stored comes from the policy's table; the rest is invented. */
import { readFileSync } from 'node:fs';

const day = 86_400_000;
const ago = (ms) => new Date(Date.now() - ms).toISOString();
const ahead = (ms) => new Date(Date.now() + ms).toISOString();
const tables = JSON.parse(readFileSync(new URL('../../../policy/limiteduse/data.json', import.meta.url))).limiteduse;

/** When what is done with the data changes, in mode=changing. */
export const changes = () => ahead(23 * day);

const modify = 'https://www.googleapis.com/auth/gmail.modify';
const usesOf = (scope) => [
  ...new Set(
    Object.values(tables.features)
      .filter(({ operations }) => Object.keys(operations).some((name) => tables.operations[name].scopes[scope]))
      .map(({ purpose }) => tables.purposes[purpose]),
  ),
];

let requests = [
  {
    id: 'r2',
    right: 'portability',
    received: ago(3 * day),
    due: ahead(27 * day),
    state: 'answered',
    how: 'product',
    ended: ago(3 * day),
  },
  { id: 'r1', right: 'rectification', received: ago(5 * day), due: ahead(25 * day), state: 'open', note: 'My name.' },
];

export function rights(mode, method, path, body, problem) {
  if (path === '/api/me/stored')
    return {
      stores: Object.entries(tables.retention).map(([store, { what, why, ends }]) => ({ store, what, why, ends })),
      mailboxes: [
        {
          id: 'acc1',
          email: 'alice@example.com',
          scopes: [modify, 'https://www.googleapis.com/auth/userinfo.email', 'openid'].map((scope) => ({
            scope,
            needed: true,
            uses: usesOf(scope),
          })),
        },
      ],
      sessions: [
        { started: ago(3 * 3_600_000), lastUsed: ago(20_000), current: true },
        { started: ago(2 * day), lastUsed: ago(9 * 3_600_000), current: false },
      ],
    };
  if (path === '/api/me/consents') {
    const agreed = (version, at, account, email) => ({
      account,
      email,
      act: 'agreed',
      at,
      version,
      language: 'en',
      sha256: '9f2c41d0'.repeat(8),
      text: `/disclosure/en/${version}`,
    });
    return {
      current: 2,
      consents: [
        ...(mode === 'changing' ? [] : [agreed(2, ago(2 * day), 'acc1', 'alice@example.com')]),
        agreed(1, ago(200 * day), 'acc1', 'alice@example.com'),
        { account: 'acc0', act: 'withdrawn', at: ago(320 * day) },
        agreed(1, ago(390 * day), 'acc0'),
      ],
    };
  }
  if (path === '/api/me/download' || path === '/api/me/delete')
    return problem(403, 'step_up_required', 'Please sign in once more');
  if (path === '/api/session/step-up') return { redirect: `/settings/privacy?confirmed=${body.for}` };
  if (path === '/api/me/rights-requests' && method === 'POST') {
    const asked = {
      id: `r${requests.length + 1}`,
      right: body.right,
      received: ago(0),
      due: ahead(30 * day),
      state: 'open',
      note: body.note,
    };
    requests = [asked, ...requests];
    return asked;
  }
  if (path === '/api/me/rights-requests') return { requests };
  if (path === '/api/staff/rights-requests')
    return {
      requests: [
        {
          id: 'q1',
          right: 'access',
          received: ago(26 * day),
          due: ahead(4 * day),
          contact: 'ben@example.com',
          note: 'Who are your processors?',
          mayRefuse: true,
        },
        {
          id: 'q2',
          right: 'rectification',
          received: ago(5 * day),
          due: ahead(25 * day),
          contact: 'alice@example.com',
          note: 'My name is spelled Alys.',
          mayRefuse: false,
        },
      ],
    };
  if (path.startsWith('/api/staff/rights-requests/')) return [204];
  return undefined;
}
