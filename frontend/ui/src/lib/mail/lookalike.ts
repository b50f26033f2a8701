/** The part of an address that says whose it is, in lower case; "" when there is none. */
export const domainOf = (email: string): string =>
  email
    .slice(email.lastIndexOf('@') + 1)
    .trim()
    .toLowerCase();

/** Second levels under which countries register names. */
const shared = /^(ac|co|com|edu|gov|net|or|org)$/;

/** The name that was registered, as well as can be told without a list of all registries. */
export function registered(domain: string): string {
  const parts = domain.toLowerCase().split('.').filter(Boolean);
  const [second = '', top = ''] = parts.slice(-2);
  return parts.slice(top.length === 2 && shared.test(second) ? -3 : -2).join('.');
}

/** Signs that are taken for others, each by what it is taken for. */
const twins: [RegExp, string][] = [
  [/rn/g, 'm'],
  [/vv/g, 'w'],
  [/0/g, 'o'],
  [/[1il|]/g, 'l'],
  [/3/g, 'e'],
  [/5/g, 's'],
  [/[-_.]/g, ''],
];

/** What an eye in a hurry sees of a domain. */
const seen = (domain: string): string => twins.reduce((text, [sign, twin]) => text.replace(sign, twin), domain);

/**
 * The domain that a sender's could be taken for, of those that are known here: one's own and those of people one has
 * mail from. Null when there is none, and when the domain is itself a known one.
 */
export function lookalike(domain: string, known: Iterable<string>): string | null {
  const site = registered(domain);
  const others = new Set([...known].map(registered));
  if (!site || others.has(site)) return null;
  for (const other of others) {
    // Short names are near to each other by chance.
    const near = other.length > 9 && oneOff(site, other);
    if (near || seen(site) === seen(other)) return other;
  }
  return null;
}

/** Whether a name has letters that look like Latin ones of another alphabet. */
export const isForeign = (domain: string): boolean => /(^|\.)xn--/.test(domain) || /[^\p{ASCII}]/u.test(domain);

/** Whether two texts differ by one letter that was changed, added, left out, or swapped with its neighbour. */
function oneOff(a: string, b: string): boolean {
  const [short, long] = a.length <= b.length ? [a, b] : [b, a];
  if (long.length - short.length > 1) return false;
  let i = 0;
  while (i < short.length && short[i] === long[i]) i++;
  if (short.length < long.length) return short.slice(i) === long.slice(i + 1);
  const swapped = short[i] === long[i + 1] && short[i + 1] === long[i] && short.slice(i + 2) === long.slice(i + 2);
  return swapped || short.slice(i + 1) === long.slice(i + 1);
}
