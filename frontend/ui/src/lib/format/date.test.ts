import { describe, expect, it } from 'vitest';
import { relativeDate, shortDate } from './date';

const now = new Date(2026, 10, 23, 15, 0).getTime();

describe('dates in a list', () => {
  it('is the time today, the day this year, and the date before', () => {
    const same = new Date(2026, 10, 23, 9, 5).getTime();
    const days = new Date(2026, 1, 3).getTime();
    const years = new Date(2024, 1, 3).getTime();
    expect(shortDate(same, now)).toMatch(/9.05/);
    expect(shortDate(days, now)).toMatch(/3/);
    expect(shortDate(days, now)).not.toMatch(/2026/);
    expect(shortDate(years, now)).toMatch(/2024/);
  });
});

describe('how long ago', () => {
  it('counts minutes, hours, days, and stops after two weeks', () => {
    expect(relativeDate(now - 5 * 60_000, now)).toMatch(/5/);
    expect(relativeDate(now - 3 * 3_600_000, now)).toMatch(/3/);
    expect(relativeDate(now - 20 * 86_400_000, now)).toBe('');
  });

  it('says nothing of what a wrong clock puts into the future', () => {
    expect(relativeDate(now + 3_600_000, now)).toBe('');
  });
});
