import { describe, expect, it } from 'vitest';
import type { Message } from '../api/types';
import { replyTo } from './reply';

const me = 'me@x.org';
const at = (email: string) => ({ email });
const received: Message = {
  id: 'a1',
  threadId: 'a0',
  subject: 'Plans',
  from: { name: 'Ana', email: 'ana@x.org' },
  to: [at(me), at('ben@x.org')],
  cc: [at('cy@x.org'), at('ANA@x.org')],
  date: 0,
  labelIds: [],
  unread: false,
  starred: false,
  draft: false,
  snippet: '',
  bodyUrl: '',
  bodyKind: 'html',
  quotedTail: false,
  remoteImages: false,
  attachments: [
    { partId: '1', name: 'plan.pdf', type: 'application/pdf', size: 10, inline: false, url: '' },
    { partId: '2', name: 'logo.png', type: 'image/png', size: 10, inline: true, url: '' },
  ],
};
const emails = (people: { email: string }[]) => people.map(({ email }) => email);

describe('answering', () => {
  it('goes to the sender alone', () => {
    const reply = replyTo(received, 'reply', me);
    expect(emails(reply.to)).toEqual(['ana@x.org']);
    expect(reply).toMatchObject({
      cc: [],
      subject: 'Re: Plans',
      inReplyTo: 'a1',
      threadId: 'a0',
      quote: true,
      attachments: [],
    });
  });

  it('goes where the sender wants answers', () => {
    expect(emails(replyTo({ ...received, replyTo: [at('list@x.org')] }, 'reply', me).to)).toEqual(['list@x.org']);
  });

  it('goes to everyone once, and not to oneself', () => {
    const reply = replyTo(received, 'replyAll', me);
    expect(emails(reply.to)).toEqual(['ana@x.org']);
    expect(emails(reply.cc)).toEqual(['ben@x.org', 'cy@x.org']);
  });

  it('to one’s own message goes to those it was sent to', () => {
    const own = { ...received, from: at('ME@x.org'), to: [at('ben@x.org')] };
    expect(emails(replyTo(own, 'reply', me).to)).toEqual(['ben@x.org']);
    expect(emails(replyTo(own, 'replyAll', me).cc)).toEqual(['cy@x.org', 'ANA@x.org']);
  });

  it('does not pile up prefixes, in other languages either', () => {
    for (const subject of ['Re: Plans', 'RE: Plans', 'AW: Plans'])
      expect(replyTo({ ...received, subject }, 'reply', me).subject).toBe(subject);
    expect(replyTo({ ...received, subject: '' }, 'reply', me).subject).toBe('Re:');
  });
});

describe('forwarding', () => {
  it('takes the attachments along, but not the pictures within the text', () => {
    const forward = replyTo(received, 'forward', me);
    expect(forward.subject).toBe('Fwd: Plans');
    expect(forward.to).toEqual([]);
    expect(forward.attachments).toEqual([
      { messageId: 'a1', partId: '1', name: 'plan.pdf', type: 'application/pdf', size: 10 },
    ]);
  });
});
