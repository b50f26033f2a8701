import { expect, it } from 'vitest';
import { hasTerm, toggleTerm } from './search-terms';

it('adds an operator and takes it away', () => {
  expect(toggleTerm('dinner', 'is:unread')).toBe('dinner is:unread');
  expect(toggleTerm('dinner is:unread', 'is:unread')).toBe('dinner');
});

it('keeps one age at a time', () => {
  expect(toggleTerm('x newer_than:7d', 'newer_than:1y')).toBe('x newer_than:1y');
});

it('keeps operators of the same name that do not exclude each other', () => {
  expect(toggleTerm('is:starred', 'is:unread')).toBe('is:starred is:unread');
});

it('does not take part of a word for an operator', () => {
  expect(hasTerm('this:unread', 'is:unread')).toBe(false);
});
