/** Something the palette finds by its words. */
export interface Findable {
  title: string;
  /** more words by which it is found, such as an address or a section's contents */
  also?: string;
}

/**
 * How well something answers what was typed: 0 when a word of it is missing, else more for words at the beginning.
 * Case and accents do not matter: "mun" finds "München".
 */
export function score({ title, also = '' }: Findable, typed: string): number {
  const wanted = plain(typed).split(/\s+/).filter(Boolean);
  const name = plain(title);
  const rest = plain(also);
  let sum = 0;
  for (const word of wanted) {
    const points = wordScore(name, word) || (rest.includes(word) ? 1 : 0);
    if (points === 0) return 0;
    sum += points;
  }
  return wanted.length === 0 ? 1 : sum;
}

function wordScore(name: string, word: string): number {
  if (name.startsWith(word)) return 4;
  if (name.split(/[\s/@.-]+/).some((part) => part.startsWith(word))) return 3;
  return name.includes(word) ? 2 : 0;
}

const plain = (text: string): string => text.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase();

/** The best of them, best first; those that answer equally well keep their order. */
export function best<T extends Findable>(all: T[], typed: string, limit: number): T[] {
  return all
    .map((one) => ({ one, points: score(one, typed) }))
    .filter(({ points }) => points > 0)
    .sort((a, b) => b.points - a.points)
    .slice(0, limit)
    .map(({ one }) => one);
}
