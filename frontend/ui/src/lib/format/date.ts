/** Dates as people read them, in the browser's language. Times are milliseconds since 1970. */

const time = new Intl.DateTimeFormat(undefined, { hour: 'numeric', minute: '2-digit' });
const day = new Intl.DateTimeFormat(undefined, { month: 'short', day: 'numeric' });
const year = new Intl.DateTimeFormat(undefined, { year: 'numeric', month: 'short', day: 'numeric' });
const full = new Intl.DateTimeFormat(undefined, { dateStyle: 'full', timeStyle: 'short' });
const medium = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' });
const precise = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' });
const relative = new Intl.RelativeTimeFormat(undefined, { numeric: 'auto' });

/** For a list row: the time today, the day this year, the date before. */
export function shortDate(ms: number, now = Date.now()): string {
  const date = new Date(ms);
  const today = new Date(now);
  if (date.toDateString() === today.toDateString()) return time.format(date);
  return date.getFullYear() === today.getFullYear() ? day.format(date) : year.format(date);
}

/** For a message header: date and time, and how long ago while that is easier to grasp. */
export function messageDate(ms: number, now = Date.now()): string {
  const ago = relativeDate(ms, now);
  return ago ? `${medium.format(ms)} (${ago})` : medium.format(ms);
}

/** "5 minutes ago"; empty for the future and beyond two weeks. */
export function relativeDate(ms: number, now = Date.now()): string {
  const minutes = Math.round((now - ms) / 60_000);
  if (minutes < 0) return '';
  if (minutes < 60) return relative.format(-minutes, 'minute');
  const hours = Math.round(minutes / 60);
  if (hours < 24) return relative.format(-hours, 'hour');
  const days = Math.round(hours / 24);
  return days <= 14 ? relative.format(-days, 'day') : '';
}

export const fullDate = (ms: number): string => full.format(ms);
export const preciseDate = (when: string): string => precise.format(new Date(when));
