import type { Message } from '../api/types';
import { domainOf, isForeign, lookalike, registered } from './lookalike';

type Sent = Pick<Message, 'from' | 'authenticity'>;

/**
 * The domains that were part of a conversation before a sender's own first appeared in it, and one's own: whoever joins
 * later under a name that looks like one of them is not who they seem to be.
 */
export function knownBefore(messages: Message[], { from }: Sent, own: string): string[] {
  const site = registered(domainOf(from.email));
  const first = messages.findIndex((message) => registered(domainOf(message.from.email)) === site);
  const people = messages.slice(0, Math.max(first, 0)).flatMap(({ from, to, cc }) => [from, ...to, ...cc]);
  return [domainOf(own), ...people.map(({ email }) => domainOf(email)).filter((domain) => registered(domain) !== site)];
}

/** What is worth saying before anybody reads on; null when nothing speaks against the sender. */
export function warning({ from, authenticity }: Sent, known: Iterable<string>): string | null {
  const domain = domainOf(from.email);
  const other = lookalike(domain, known);
  if (other) return `The sender’s domain is ${domain}. It looks like ${other}, which you know, but is another one.`;
  if (authenticity?.dmarc === 'fail')
    return `Gmail could not confirm that this message is from ${domain}. Somebody else may have sent it in that name.`;
  if (isForeign(domain))
    return `The sender’s domain has letters of another alphabet: ${domain}. Make sure that it is the one you think it is.`;
  return null;
}

const results: Record<string, string> = {
  pass: 'passed',
  fail: 'failed',
  softfail: 'failed softly',
  neutral: 'says nothing',
  none: 'is not set up',
  temperror: 'could not be checked',
  permerror: 'is set up wrongly',
};

/** What Gmail found, in words, as lines of the message's details. */
export function findings({ authenticity }: Pick<Sent, 'authenticity'>): { name: string; text: string }[] {
  if (!authenticity) return [];
  const { proven, spf, dkim, dmarc, signedBy, mailedBy } = authenticity;
  const checks = Object.entries({ SPF: spf, DKIM: dkim, DMARC: dmarc })
    .filter(([, result]) => result)
    .map(([name, result]) => `${name} ${results[result ?? ''] ?? result}`);
  return [
    { name: 'Sender', text: proven ? 'Confirmed by Gmail: the address is the sender’s' : 'Not confirmed by Gmail' },
    ...(signedBy ? [{ name: 'Signed by', text: signedBy }] : []),
    ...(mailedBy ? [{ name: 'Mailed by', text: mailedBy }] : []),
    ...(checks.length > 0 ? [{ name: 'Checks', text: checks.join(', ') }] : []),
  ];
}
