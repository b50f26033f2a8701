/** Folded messages shown at either end of a run before the rest of it is put behind one line. */
const shownAtEachEnd = 1;
/** Fewer than this are not worth a line of their own. */
const worthHiding = 3;

/**
 * The run of folded messages to hide in a long conversation, as [from, to) of its messages: those between the first
 * message and the one before the first open message. Null where there is nothing worth hiding.
 */
export function earlierRun(open: boolean[]): { from: number; to: number } | null {
  const firstOpen = open.indexOf(true);
  const from = shownAtEachEnd;
  const to = (firstOpen < 0 ? open.length : firstOpen) - shownAtEachEnd;
  return to - from >= worthHiding ? { from, to } : null;
}
