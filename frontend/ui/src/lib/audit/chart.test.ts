import { describe, expect, it } from 'vitest';
import { bars, barsOn, heights, mostBars } from './chart';

describe('the timeline', () => {
  it('has a bar for each day, also for those on which nothing happened', () => {
    const days = [
      { day: '2026-02-27', allowed: 3, refused: 1 },
      { day: '2026-03-02', allowed: 5, refused: 0 },
    ];
    expect(bars({ days }).map(({ day, allowed }) => `${day} ${allowed}`)).toEqual([
      '2026-02-27 3',
      '2026-02-28 0',
      '2026-03-01 0',
      '2026-03-02 5',
    ]);
    expect(bars({ days: [] })).toEqual([]);
  });

  it('shows the newest days when there are too many', () => {
    const found = bars({
      days: [
        { day: '2026-01-01', allowed: 1, refused: 0 },
        { day: '2026-11-01', allowed: 2, refused: 0 },
      ],
    });
    expect(found).toHaveLength(mostBars);
    expect(found.at(-1)).toEqual({ day: '2026-11-01', allowed: 2, refused: 0 });
  });

  it('puts a part on the axis of the whole', () => {
    const whole = bars({
      days: [
        { day: '2026-03-01', allowed: 3, refused: 0 },
        { day: '2026-03-03', allowed: 3, refused: 0 },
      ],
    });
    const part = barsOn(whole, [{ day: '2026-03-02', allowed: 0, refused: 2 }]);
    expect(part.map(({ refused }) => refused)).toEqual([0, 2, 0]);
    expect(barsOn([], [])).toEqual([]);
  });

  it('never hides a refusal beside many that were allowed', () => {
    const { allowed, refused } = heights({ day: '', allowed: 100_000, refused: 1 }, 100_001, 70);
    expect(refused).toBe(2);
    expect(allowed + refused).toBeLessThanOrEqual(70);
    expect(heights({ day: '', allowed: 0, refused: 0 }, 1, 70)).toEqual({ allowed: 0, refused: 0 });
  });
});
