import type { Address } from '../api/types';

/** How someone is called where there is little room. */
export function shortName(address: Address): string {
  const name = address.name?.trim();
  if (!name) return address.email.split('@')[0] || address.email;
  return name;
}

/** First names for a list row with several people: "Ana, Ben, me". */
export function participants(people: Address[], own: string): string {
  const names: string[] = [];
  for (const person of people) {
    const name = isSame(person.email, own) ? 'me' : shortName(person);
    if (!names.includes(name)) names.push(name);
  }
  if (names.length <= 1) return names[0] ?? '';
  return names.map(firstName).join(', ');
}

/** The word people use for someone: not a title, not an article, and the given name where "Family, Given" is written. */
function firstName(name: string): string {
  if (name.includes('@')) return name;
  const [family, given] = name.split(/,\s*/);
  const words = (given ?? family ?? name).split(/\s+/);
  const titled = /^(the|dr|prof|mr|mrs|ms|herr|frau)\.?$/i.test(words[0] ?? '');
  return (titled ? words.slice(1).join(' ') : words[0]) || name;
}

export function isSame(a: string, b: string): boolean {
  return a.trim().toLowerCase() === b.trim().toLowerCase();
}

/** Up to two letters that stand for someone in a round badge. */
export function initials(address: Address): string {
  const words = shortName(address)
    .split(/[\s._-]+/)
    .map((word) => Array.from(word).find((char) => /\p{L}|\p{N}/u.test(char)) ?? '')
    .filter(Boolean);
  const letters = words.length > 1 ? [words[0], words[words.length - 1]] : [words[0] ?? '?'];
  return letters.join('').toUpperCase();
}

/** A stable number in [0, count) for someone, so that their badge keeps its colour. */
export function hue(email: string, count: number): number {
  let hash = 0;
  for (const char of email.toLowerCase()) hash = (hash * 31 + (char.codePointAt(0) ?? 0)) >>> 0;
  return hash % count;
}

/** `Name <address>`, quoting names that hold separators; the form parseAddresses reads back. */
export function formatAddress({ name, email }: Address): string {
  if (!name) return email;
  return /[",;<>@]/.test(name) ? `"${name.replaceAll('"', "'")}" <${email}>` : `${name} <${email}>`;
}

/**
 * Whether text can be a recipient. Deliberately loose (the server and Gmail decide): one @, something before it, a
 * host after it, no blanks.
 */
export function isEmail(text: string): boolean {
  return /^[^\s@<>(),;:"[\]]+@[^\s@<>(),;:"[\].]+(\.[^\s@<>(),;:"[\].]+)*$/.test(text);
}

/** Reads what people type or paste into a recipient field: several addresses, with names, quotes, commas, semicolons. */
export function parseAddresses(text: string): Address[] {
  return splitList(text).map(parseOne);
}

function splitList(text: string): string[] {
  const parts: string[] = [];
  let current = '';
  let quoted = false;
  let angle = false;
  for (const char of text) {
    if (char === '"') quoted = !quoted;
    else if (char === '<' && !quoted) angle = true;
    else if (char === '>' && !quoted) angle = false;
    if (!quoted && !angle && (char === ',' || char === ';' || char === '\n')) {
      parts.push(current);
      current = '';
    } else {
      current += char;
    }
  }
  parts.push(current);
  return parts
    .map((part) => part.trim())
    .filter(Boolean)
    .flatMap(splitBare);
}

/** "a@x.org b@y.org" are two; "Ana Ruiz <a@x.org>" is one. */
function splitBare(part: string): string[] {
  const words = part.split(/\s+/);
  return words.length > 1 && words.every(isEmail) ? words : [part];
}

function parseOne(part: string): Address {
  const match = /^(.*)<([^<>]*)>\s*$/.exec(part);
  if (!match) return { email: part.replace(/^mailto:/i, '') };
  const name = (match[1] ?? '')
    .trim()
    .replace(/^"(.*)"$/, '$1')
    .trim();
  const email = (match[2] ?? '').trim();
  return name ? { name, email } : { email };
}
