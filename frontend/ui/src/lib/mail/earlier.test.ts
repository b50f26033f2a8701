import { expect, it } from 'vitest';
import { earlierRun } from './earlier';

const messages = (text: string) => [...text].map((char) => char === 'O');

it.each([
  ['------O', { from: 1, to: 5 }],
  ['-----OO', { from: 1, to: 4 }],
  ['------O---O', { from: 1, to: 5 }],
  ['----O', null],
  ['O----O', null],
  ['O', null],
  ['', null],
])('in a conversation like %s', (text, want) => {
  expect(earlierRun(messages(text))).toEqual(want);
});
