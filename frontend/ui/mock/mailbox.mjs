/** Invented mail for the mock server. Nobody in it exists. */

const people = [
  ['Maya Lindqvist', 'maya.lindqvist@northlight.example'],
  ['Tomás Herrera', 'tomas@herrera-studio.example'],
  ['Priya Raman', 'priya.raman@contoso.example'],
  ['GitHub', 'noreply@github.example'],
  ['Ben Okafor', 'ben.okafor@fieldwork.example'],
  ['Figma', 'team@figma.example'],
  ['Sofia Marino', 'sofia@marino.example'],
  ['Deutsche Bahn', 'fahrkarten@bahn.example'],
  ['Kenji Watanabe', 'kenji.w@harbor.example'],
  ['The Browser Weekly', 'hello@browserweekly.example'],
  ['Dr. Anke Vogel', 'praxis@vogel.example'],
  ['Stripe', 'receipts@stripe.example'],
  ['Noor Haddad', 'noor@haddad.example'],
  ['Oliver', 'oliver.finch@example.net'],
];
const subjects = [
  [
    'Lisbon offsite: final agenda and rooms',
    'Hi all, attached is the agenda we agreed on yesterday. Two changes: the workshop moves to Thursday morning, and',
  ],
  [
    'Re: Invoice 2026-118',
    'Thanks, received. I have forwarded it to accounting and they expect to pay by the end of next week.',
  ],
  [
    'Can you look at the draft before Friday?',
    'No rush, but the board meets on Monday and I would love your eyes on section three, the one about',
  ],
  [
    '[northlight/atlas] Fix race in checkpoint writer (#412)',
    'Merged #412 into main. The failing test from last night passes on all three runners now.',
  ],
  [
    'Dinner on Saturday',
    'We thought 19:30 at the little place by the canal. Shall I book for six, or are the kids coming as well?',
  ],
  [
    'Priya shared “Onboarding v3” with you',
    'Priya Raman has invited you to edit the file Onboarding v3. 4 comments are waiting for you.',
  ],
  [
    'Photos from the hike',
    'Finally sorted them! The link is good for two weeks. My favourite is the one where Oliver tries to',
  ],
  [
    'Your ticket: Hamburg Hbf to Berlin Hbf, 24 November',
    'Order 8H2K4P. Departure 08:36, platform 14, coach 23, seats 61 and 62. Have a pleasant journey.',
  ],
  [
    'Contract renewal: two open questions',
    'Good morning, before we send this to legal: do we keep the 30 days notice, and who signs on your side?',
  ],
  [
    'Issue 214: why the platform won',
    'This week: anchor positioning lands everywhere, a love letter to the dialog element, and the true cost of',
  ],
  [
    'Terminerinnerung: Dienstag, 9:15 Uhr',
    'Wir freuen uns auf Ihren Besuch. Bitte bringen Sie Ihre Versichertenkarte mit.',
  ],
  [
    'Receipt for your payment to Harbor Cloud',
    'Amount paid €49.00. Date paid Nov 20, 2026. Payment method Visa ending in 4242.',
  ],
  [
    'Quick thought on the pricing page',
    'I keep coming back to the middle column. What if we said what it is for instead of what it costs?',
  ],
  ['', 'did you get my message from this morning? call me when you can'],
  ['Notes from Tuesday', 'Short version: we ship the small thing first. Longer version below, with owners and dates.'],
  ['Re: Re: Moving the stand-up to 9:45', 'Works for me. Kenji, can you change the calendar entry? Thanks!'],
];

export const labels = [
  ...['INBOX', 'STARRED', 'IMPORTANT', 'SENT', 'DRAFT', 'SPAM', 'TRASH', 'UNREAD'].map((id) => ({
    id,
    name: id,
    type: 'system',
    hidden: false,
  })),
  { id: 'Label_1', name: 'Work', type: 'user', hidden: false, color: { background: '#4986e7', text: '#ffffff' } },
  { id: 'Label_2', name: 'Work/Atlas', type: 'user', hidden: false, color: { background: '#16a765', text: '#ffffff' } },
  {
    id: 'Label_3',
    name: 'Work/Hiring',
    type: 'user',
    hidden: false,
    color: { background: '#b99aff', text: '#3d188e' },
  },
  { id: 'Label_4', name: 'Travel', type: 'user', hidden: false, color: { background: '#ffad47', text: '#ffffff' } },
  { id: 'Label_5', name: 'Family', type: 'user', hidden: false, color: { background: '#f691b3', text: '#711a36' } },
  { id: 'Label_6', name: 'Receipts', type: 'user', hidden: false },
];

const own = { name: 'Alice Moreau', email: 'alice@example.com' };
const person = (i) => ({ name: people[i % people.length][0], email: people[i % people.length][1] });
const hour = 3_600_000;

export function makeThreads(size = 180) {
  const now = Date.now();
  return Array.from({ length: size }, (_, i) => {
    const [subject, snippet] = subjects[i % subjects.length];
    const from = person(i * 5 + (i % 3));
    const count = [1, 3, 1, 2, 4, 1, 1, 1, 2, 1, 1, 1, 6, 1, 2, 5][i % 16];
    const labelIds = ['INBOX'];
    if ([0, 2, 4, 9, 13, 22, 35].includes(i)) labelIds.push('UNREAD');
    if ([1, 8, 20].includes(i)) labelIds.push('STARRED');
    if (i % 4 === 0) labelIds.push('IMPORTANT');
    if (i % 16 === 0 || i % 16 === 8) labelIds.push('Label_1');
    if (i % 16 === 3 || i % 16 === 14) labelIds.push('Label_2');
    if (i % 16 === 7) labelIds.push('Label_4');
    if (i % 16 === 4 || i % 16 === 6) labelIds.push('Label_5');
    if (i % 16 === 11) labelIds.push('Label_6');
    if (i > 60 && i % 3) labelIds.splice(0, 1);
    const date = now - Math.round(i ** 1.7 * hour * 0.9) - 7 * 60_000;
    const messages = Array.from({ length: count }, (_, m) => {
      const last = m === count - 1;
      const mine = !last && m % 2 === 1;
      const id = (0x19a0_0000_0000 + i * 256 + m).toString(16);
      return {
        id,
        threadId: (0x19a0_0000_0000 + i * 256).toString(16),
        subject: m > 0 && !subject.startsWith('Re:') ? `Re: ${subject}` : subject,
        from: mine ? own : m < count - 2 ? person(i * 5 + 3 + m) : from,
        to: mine ? [from] : [own, ...(i % 3 === 0 ? [person(i + 2)] : [])],
        cc: i % 5 === 0 ? [person(i + 4), person(i + 6)] : [],
        date: date - (count - 1 - m) * 5 * hour,
        labelIds: last ? labelIds : labelIds.filter((id) => id !== 'UNREAD'),
        draft: false,
        snippet,
        kind: i % 16 === 9 || i % 16 === 11 ? 'newsletter' : 'letter',
        attachments:
          i % 16 === 0 && last
            ? [
                ['Agenda Lisbon.pdf', 'application/pdf', 284_113],
                ['Rooms.xlsx', 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet', 18_240],
                ['terrace.jpg', 'image/jpeg', 2_340_114],
              ].map(([name, type, bytes], p) => ({
                partId: String(p + 1),
                name,
                type,
                size: bytes,
                inline: false,
                url: `/attachment/mock/${id}/${p + 1}`,
              }))
            : [],
      };
    });
    return { id: messages[0].threadId, subject, snippet, messages };
  });
}

export function rowOf(thread) {
  const last = thread.messages.at(-1);
  const labelIds = [...new Set(thread.messages.flatMap((message) => message.labelIds))];
  const seen = new Map(thread.messages.toReversed().map((message) => [message.from.email, message.from]));
  return {
    id: thread.id,
    messageId: last.id,
    subject: thread.subject,
    from: [...seen.values()],
    to: last.to,
    snippet: last.snippet,
    date: last.date,
    labelIds,
    unread: labelIds.includes('UNREAD'),
    starred: labelIds.includes('STARRED'),
    messages: thread.messages.length,
    attachment: last.attachments.length > 0,
    draft: last.draft,
    ...(last.draftId && { draftId: last.draftId }),
  };
}

/** One of the invented senders is not who they say they are. */
function authenticityOf(email) {
  const domain = email.slice(email.indexOf('@') + 1);
  if (domain === 'bahn.example') return { proven: false, spf: 'softfail', dmarc: 'fail', mailedBy: 'bulk.example.net' };
  return { proven: true, spf: 'pass', dkim: 'pass', dmarc: 'pass', signedBy: domain, mailedBy: `mail.${domain}` };
}

export function messageOf(message) {
  const { kind, ...rest } = message;
  return {
    ...rest,
    unread: message.labelIds.includes('UNREAD'),
    starred: message.labelIds.includes('STARRED'),
    bodyUrl: `/body/mock/${message.id}`,
    bodyKind: 'html',
    quotedTail: false,
    remoteImages: kind === 'newsletter',
    ...(message.from.email !== own.email && { authenticity: authenticityOf(message.from.email) }),
    ...(kind === 'newsletter' && { unsubscribe: { kind: 'one_click', host: 'lists.example.org' } }),
  };
}

const letter = (snippet) => `<p>Hi Alice,</p><p>${snippet} and that is really all there is to it.</p>
<p>A few things I would like us to settle before Thursday:</p>
<ul><li>Who opens the first session, and do we record it?</li><li>The hotel holds nine rooms until <b>Friday noon</b>.</li><li>Budget: see <a href="https://example.com/sheet">the sheet</a>, second tab.</li></ul>
<p>Tell me if I forgot something.</p><p>Best wishes<br>Maya</p>`;

const newsletter = `<div style="background:#f3efe6;padding:32px 16px;font-family:Georgia,serif"><div style="max-width:560px;margin:0 auto;background:#fff;padding:32px;color:#2b2620">
<div style="font:600 12px/1 sans-serif;letter-spacing:2px;color:#a5552f">THE BROWSER WEEKLY</div><h1 style="font-size:30px;line-height:1.2;margin:16px 0">Why the platform won</h1>
<p style="font-size:17px;line-height:1.6">Anchor positioning is everywhere now, and nobody had to install anything. We look at what that means for the code you can delete this winter.</p>
<p><a style="display:inline-block;background:#a5552f;color:#fff;padding:12px 20px;text-decoration:none;font:600 14px/1 sans-serif" href="https://example.com">Read on</a></p></div></div>`;

export function bodyOf(message, dark) {
  const content = message.kind === 'newsletter' ? newsletter : letter(message.snippet);
  const colours = dark ? 'color:#e9eeed' : 'color:#14201e';
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Message</title><base target="_blank"><style>:root{color-scheme:${dark ? 'dark' : 'light'};overflow-x:auto}body{margin:0;font:14px/1.55 system-ui,sans-serif;${colours};overflow-wrap:anywhere}a{color:${dark ? '#4cc9b0' : '#0b6e5f'}}</style></head><body>${content}</body></html>`;
}
