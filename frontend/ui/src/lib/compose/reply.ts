import type { Address, Compose, Message } from '../api/types';
import { isSame } from '../format/address';

export const emptyCompose = (): Compose => ({
  kind: 'new',
  to: [],
  cc: [],
  bcc: [],
  subject: '',
  html: '',
  quote: true,
  attachments: [],
});

/** The beginning of an answer to a message. The original is quoted by the server when it is sent. */
export function replyTo(message: Message, kind: 'reply' | 'replyAll' | 'forward', own: string): Compose {
  const draft: Compose = { ...emptyCompose(), kind, inReplyTo: message.id, threadId: message.threadId };
  if (kind === 'forward') {
    return {
      ...draft,
      subject: prefixed('Fwd:', message.subject, /^(fwd?|wg|tr|rv):/i),
      attachments: forwarded(message),
    };
  }
  const { to, cc } = recipients(message, kind, own);
  return { ...draft, to, cc, subject: prefixed('Re:', message.subject, /^(re|aw|sv|antw):/i) };
}

function recipients(message: Message, kind: 'reply' | 'replyAll', own: string): { to: Address[]; cc: Address[] } {
  const fromMe = isSame(message.from.email, own);
  // An answer to one's own message goes to those it was sent to.
  const answered = message.replyTo?.length ? message.replyTo : [message.from];
  const to = fromMe ? message.to : answered;
  if (kind === 'reply') return { to: distinct(to, []), cc: [] };
  const others = fromMe ? message.cc : [...message.to, ...message.cc];
  const mine: Address[] = [{ email: own }];
  const everyone = distinct(to, to.length > 1 ? mine : []);
  return { to: everyone, cc: distinct(others, [...everyone, ...mine]) };
}

function distinct(people: Address[], except: Address[]): Address[] {
  const seen = new Set(except.map(({ email }) => email.toLowerCase()));
  return people.filter(({ email }) => {
    const key = email.toLowerCase();
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}

function prefixed(prefix: string, subject: string, present: RegExp): string {
  return present.test(subject.trim()) ? subject : `${prefix} ${subject}`.trim();
}

function forwarded(message: Message): Compose['attachments'] {
  return message.attachments
    .filter((attachment) => !attachment.inline)
    .map(({ partId, name, type, size }) => ({ messageId: message.id, partId, name, type, size }));
}
