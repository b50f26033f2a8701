/** Something that was seen at a time, under a decision. */
interface Seen {
  at: string;
  decision: string;
}

/** One look as a person would count it, with every decision it took. */
export type Look<T extends Seen> = Omit<T, 'decision'> & { decisions: string[] };

/** How close two readings of the same are when they are one look, in milliseconds. */
const together = 10_000;

/**
 * Puts readings that are one look together: a page reads the head of a message and its body under a decision each,
 * within moments. `same` says whether two readings are of the same thing by the same person. The order stays.
 */
export function looksOf<T extends Seen>(readings: T[], same: (a: T, b: T) => boolean): Look<T>[] {
  const looks: { first: T; last: T; decisions: string[] }[] = [];
  for (const reading of readings) {
    const before = looks.at(-1);
    if (before && same(before.last, reading) && apart(before.last, reading) <= together) {
      before.last = reading;
      before.decisions.push(reading.decision);
    } else looks.push({ first: reading, last: reading, decisions: [reading.decision] });
  }
  return looks.map(({ first: { decision: _decision, ...rest }, decisions }) => ({ ...rest, decisions }));
}

const apart = (a: Seen, b: Seen): number => Math.abs(Date.parse(a.at) - Date.parse(b.at));
