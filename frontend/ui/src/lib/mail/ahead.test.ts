import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Ahead } from './ahead';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

function told() {
  const threads: string[] = [];
  return { threads, ahead: new Ahead((thread) => (threads.push(thread), Promise.resolve())) };
}

test('a pointer that rests names the conversation, one that passes does not', () => {
  const { threads, ahead } = told();
  ahead.near('a');
  vi.advanceTimersByTime(50);
  ahead.near('b');
  vi.advanceTimersByTime(200);
  ahead.near('c');
  ahead.away();
  vi.advanceTimersByTime(200);
  expect(threads).toEqual(['b']);
});

test('a conversation is named once in a while', () => {
  const { threads, ahead } = told();
  for (const _ of [1, 2]) {
    ahead.near('a');
    vi.advanceTimersByTime(200);
  }
  expect(threads).toEqual(['a']);
  vi.advanceTimersByTime(5 * 60_000);
  ahead.near('a');
  vi.advanceTimersByTime(200);
  expect(threads).toEqual(['a', 'a']);
});

test('the neighbours of the open conversation are named, never itself', () => {
  const { threads, ahead } = told();
  ahead.around(['a', 'b', 'c'], 'b');
  expect(threads).toEqual(['c', 'a']);
  ahead.around(['a', 'b', 'c', 'd'], 'c');
  expect(threads).toEqual(['c', 'a', 'd']);
  ahead.around([], 'x');
  expect(threads).toHaveLength(3);
});

test('a refusal is nobody’s concern', async () => {
  const ahead = new Ahead(() => Promise.reject(new Error('no')));
  ahead.around(['a', 'b'], 'a');
  await vi.runAllTimersAsync();
});
