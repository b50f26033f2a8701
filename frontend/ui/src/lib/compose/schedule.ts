/** Times to offer for sending later: tomorrow morning, tomorrow afternoon, Monday morning; in the browser's time zone. */
export function suggestions(now: Date): { label: string; at: Date }[] {
  const day = (ahead: number, hour: number) =>
    new Date(now.getFullYear(), now.getMonth(), now.getDate() + ahead, hour, 0, 0);
  const tomorrow = now.getDay() === 5 ? 'Saturday' : 'Tomorrow';
  const toMonday = (8 - now.getDay()) % 7 || 7;
  const list = [
    { label: `${tomorrow} morning`, at: day(1, 8) },
    { label: `${tomorrow} afternoon`, at: day(1, 13) },
  ];
  return toMonday > 1 ? [...list, { label: 'Monday morning', at: day(toMonday, 8) }] : list;
}

/** The value of a datetime-local field for a time, to the minute. */
export function fieldValue(at: Date): string {
  const two = (n: number) => String(n).padStart(2, '0');
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}T${two(at.getHours())}:${two(at.getMinutes())}`;
}

/** Milliseconds since 1970 of a field's value, or why it cannot be used. */
export function chosenTime(value: string, now: number): number | string {
  const at = new Date(value).getTime();
  if (!value || Number.isNaN(at)) return 'Choose a day and a time.';
  if (at < now + 60_000) return 'That time is over. Choose a later one.';
  if (at > now + 365 * 86_400_000) return 'At most a year ahead.';
  return at;
}
