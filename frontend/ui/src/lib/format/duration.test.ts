import { describe, expect, it } from 'vitest';
import { span, timeLeft } from './duration';

const second = 1_000;
const minute = 60 * second;
const hour = 60 * minute;

describe('what is left of a time', () => {
  it.each([
    [12 * hour, '12 hr'],
    [11 * hour + 19 * minute + second, '11 hr 20 min'],
    [hour - second, '59 min 59 sec'],
    [2 * minute, '2 min'],
    [1, '1 sec'],
    [0, ''],
    [-hour, ''],
  ])('%d ms', (ms, want) => {
    expect(timeLeft(ms)).toBe(want);
  });

  it('is never shown shorter than it is', () => {
    expect(timeLeft(hour + 1)).toBe('1 hr 1 min');
  });
});

describe('a length that was agreed to', () => {
  it.each([
    [30, '30 minutes'],
    [60, '1 hour'],
    [90, '90 minutes'],
    [240, '4 hours'],
  ])('%d minutes', (count, want) => {
    expect(span(count)).toBe(want);
  });
});
