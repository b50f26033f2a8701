import type { AuditDay, AuditSummary } from '../api/types';

/** One bar of the timeline: a day, UTC, days without any decision included. */
export interface Bar {
  day: string;
  allowed: number;
  refused: number;
}

const dayMs = 86_400_000;

/** As many days as the chart has room for. */
export const mostBars = 60;

/** The days from the first counted to the last, or the newest of them when there are too many. */
export function bars({ days }: Pick<AuditSummary, 'days'>): Bar[] {
  const [first, last] = [days[0], days.at(-1)];
  if (!first || !last) return [];
  const end = Date.parse(last.day);
  return barsBetween(days, Math.max(Date.parse(first.day), end - (mostBars - 1) * dayMs), end);
}

/** The days of a part, on the axis of the whole. */
export function barsOn(axis: Bar[], days: AuditDay[]): Bar[] {
  const [first, last] = [axis[0], axis.at(-1)];
  return first && last ? barsBetween(days, Date.parse(first.day), Date.parse(last.day)) : [];
}

function barsBetween(days: AuditDay[], begin: number, end: number): Bar[] {
  const counted = new Map(days.map((day) => [day.day, day]));
  const found: Bar[] = [];
  for (let ms = begin; ms <= end; ms += dayMs) {
    const day = new Date(ms).toISOString().slice(0, 10);
    const { allowed = 0, refused = 0 } = counted.get(day) ?? {};
    found.push({ day, allowed, refused });
  }
  return found;
}

/** Heights in a chart of the given height. A count that is not nothing is never invisible: refusals are few. */
export function heights({ allowed, refused }: Bar, most: number, height: number): { allowed: number; refused: number } {
  const of = (count: number) => (count === 0 ? 0 : Math.max(2, (count / Math.max(1, most)) * height));
  const shown = of(refused);
  return { refused: shown, allowed: Math.min(of(allowed), height - shown) };
}
