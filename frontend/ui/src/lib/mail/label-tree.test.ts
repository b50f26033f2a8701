import { describe, expect, it } from 'vitest';
import type { Label } from '../api/types';
import { chipLabels, labelTree, visibleNodes } from './label-tree';

const label = (name: string, more: Partial<Label> = {}): Label => ({
  id: `L-${name}`,
  name,
  type: 'user',
  hidden: false,
  ...more,
});
const drawn = (labels: Label[], closed: string[] = []) =>
  visibleNodes(labelTree(labels), new Set(closed)).map(
    ({ name, depth, label: own }) => `${'  '.repeat(depth)}${name}${own ? '' : ' (no label)'}`,
  );

describe('the tree of labels', () => {
  it('nests by slash and sorts by name', () => {
    expect(drawn([label('Work/Hiring'), label('Travel'), label('Work'), label('Work/Atlas')])).toEqual([
      'Travel',
      'Work',
      '  Atlas',
      '  Hiring',
    ]);
  });

  it('shows a parent that is no label itself', () => {
    expect(drawn([label('Clients/Acme/2026')])).toEqual(['Clients (no label)', '  Acme (no label)', '    2026']);
  });

  it('takes a slash at either end as part of the name', () => {
    expect(drawn([label('/etc'), label('and/')])).toEqual(['/etc', 'and/']);
  });

  it('leaves out hidden labels, system labels and what is under a closed parent', () => {
    const labels = [label('A'), label('A/B'), label('C', { hidden: true }), label('INBOX', { type: 'system' })];
    expect(drawn(labels, ['A'])).toEqual(['A']);
  });
});

describe('the chips of a row', () => {
  it('names what a conversation is about, not where it is', () => {
    const work = label('Work');
    const spam = label('SPAM', { id: 'SPAM', type: 'system' });
    const byId = new Map([work, spam].map((each) => [each.id, each]));
    expect(chipLabels(['INBOX', 'UNREAD', 'L-Work', 'SPAM', 'gone'], byId, null)).toEqual([work, spam]);
    expect(chipLabels(['L-Work', 'SPAM'], byId, 'SPAM')).toEqual([work]);
  });
});
