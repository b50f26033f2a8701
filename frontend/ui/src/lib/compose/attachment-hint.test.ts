import { expect, it } from 'vitest';
import { mentionsAttachment } from './attachment-hint';

it.each(['I have attached the plan.', 'See attachment', 'Der Plan ist im Anhang.', 'ci-joint le plan'])(
  '%j promises a file',
  (text) => {
    expect(mentionsAttachment(text)).toBe(true);
  },
);

it.each(['See you soon', 'The kids are very attachedly sleeping', ''])('%j does not', (text) => {
  expect(mentionsAttachment(text)).toBe(false);
});
