/** The operator's other services for the mock server: one to connect, one that mail is never for. */
let since;

const all = () => [
  {
    id: 'northwind-crm',
    name: 'Northwind CRM',
    use: 'Shows beside your customers how much mail waits for you, and prepares answers from its templates.',
    gets: [
      'How many conversations in your inbox are unread. The number, and nothing else.',
      'It may put drafts into your mailbox, for you to change, to send or to delete. It cannot send and cannot read them.',
    ],
    asks: !since,
    returns: false,
    ...(since && {
      since: new Date(since).toISOString(),
      until: new Date(since + 365 * 86_400_000).toISOString(),
      mailbox: '8958284d-06be-4df3-a0c2-e9b610aa3235',
    }),
  },
  {
    id: 'northwind-growth',
    name: 'Northwind Growth',
    use: 'Chooses audiences for campaigns.',
    gets: [],
    asks: false,
    returns: false,
  },
];

export function resetServices() {
  since = undefined;
}

/** Answers a call below /api/accounts/{account}, or nothing when it is not about services. */
export function services(method, rest) {
  const id = /^\/services\/([a-z0-9-]+)$/.exec(rest)?.[1];
  if (rest === '/services') return { services: all() };
  if (!id) return undefined;
  since = method === 'DELETE' ? undefined : Date.now();
  return method === 'DELETE' ? [204] : { service: all().find((service) => service.id === id) };
}
