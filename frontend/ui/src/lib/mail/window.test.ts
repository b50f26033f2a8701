import { expect, it } from 'vitest';
import { scrollIntoView, visibleRange } from './window';

it('draws the rows in view and a few beyond', () => {
  expect(visibleRange(400, 200, 40, 1_000, 2)).toEqual({ from: 8, to: 17 });
});

it('stays within the list at both ends', () => {
  expect(visibleRange(0, 200, 40, 3, 8)).toEqual({ from: 0, to: 3 });
  expect(visibleRange(9_999, 200, 40, 10, 2)).toEqual({ from: 10, to: 10 });
});

it('draws nothing of an empty list', () => {
  expect(visibleRange(0, 600, 40, 0)).toEqual({ from: 0, to: 0 });
});

it('scrolls no further than a row needs', () => {
  expect(scrollIntoView(2, 100, 200, 40)).toBe(80);
  expect(scrollIntoView(4, 100, 200, 40)).toBe(100);
  expect(scrollIntoView(9, 100, 200, 40)).toBe(200);
});
