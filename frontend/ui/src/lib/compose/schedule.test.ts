import { expect, test } from 'vitest';
import { chosenTime, fieldValue, suggestions } from './schedule';

test('suggests the next morning and afternoon, and Monday when it is not tomorrow', () => {
  const tuesday = new Date(2026, 10, 24, 18, 30);
  expect(suggestions(tuesday).map(({ label, at }) => [label, fieldValue(at)])).toEqual([
    ['Tomorrow morning', '2026-11-25T08:00'],
    ['Tomorrow afternoon', '2026-11-25T13:00'],
    ['Monday morning', '2026-11-30T08:00'],
  ]);
  const sunday = new Date(2026, 10, 29, 9);
  expect(suggestions(sunday).map(({ label }) => label)).toEqual(['Tomorrow morning', 'Tomorrow afternoon']);
  expect(
    suggestions(new Date(2026, 10, 30, 9))
      .at(-1)
      ?.at.getDate(),
  ).toBe(7);
});

test('a time is taken when it lies ahead, within a year', () => {
  const now = new Date(2026, 10, 24, 12).getTime();
  expect(chosenTime('2026-11-24T13:00', now)).toBe(now + 3_600_000);
  for (const bad of ['', 'soon', '2026-11-24T12:00', '2026-11-23T13:00', '2028-01-01T00:00'])
    expect(chosenTime(bad, now)).toBeTypeOf('string');
});
