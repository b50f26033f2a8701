import { describe, expect, it } from 'vitest';
import { looksOf } from './looks';

const at = (second: number, message: string, decision: string) => ({
  at: new Date(Date.UTC(2026, 10, 23, 12, 0, second)).toISOString(),
  message,
  decision,
});
const same = (a: { message: string }, b: { message: string }) => a.message === b.message;
const decisions = (...readings: ReturnType<typeof at>[]) => looksOf(readings, same).map((look) => look.decisions);

describe('a look', () => {
  it('is the head and the body of a message, read within moments', () => {
    expect(looksOf([at(2, 'a', 'd2'), at(1, 'a', 'd1')], same)).toEqual([
      { at: '2026-11-23T12:00:02.000Z', message: 'a', decisions: ['d2', 'd1'] },
    ]);
  });

  it('is another one when it is of another message, or later', () => {
    expect(decisions(at(1, 'a', 'd1'), at(2, 'b', 'd2'), at(3, 'a', 'd3'))).toEqual([['d1'], ['d2'], ['d3']]);
    expect(decisions(at(0, 'a', 'd1'), at(10, 'a', 'd2'))).toEqual([['d1', 'd2']]);
    expect(decisions(at(0, 'a', 'd1'), at(11, 'a', 'd2'))).toEqual([['d1'], ['d2']]);
  });

  it('loses no decision', () => {
    const readings = Array.from({ length: 30 }, (_, i) => at(i, i % 3 ? 'a' : 'b', `d${i}`));
    expect(decisions(...readings).flat()).toEqual(readings.map(({ decision }) => decision));
  });

  it('is none when nothing was read', () => {
    expect(decisions()).toEqual([]);
  });
});
