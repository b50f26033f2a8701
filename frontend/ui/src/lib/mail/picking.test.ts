import { describe, expect, it } from 'vitest';
import type { Label } from '../api/types';
import { byEffect } from './changes';
import { changeOf, choicesOf, matching } from './picking';
import { aRow, ids } from './testing';

const label = (id: string, name: string, type: 'user' | 'system' = 'user'): Label => ({
  id,
  name,
  type,
  hidden: false,
});
const labels = [
  label('INBOX', 'INBOX', 'system'),
  label('UNREAD', 'UNREAD', 'system'),
  label('TRASH', 'TRASH', 'system'),
  label('L2', 'Work/Atlas'),
  label('L1', 'Work'),
  label('L3', 'Receipts'),
];

describe('labels to choose from', () => {
  it('say whether all, some or none of the conversations have them', () => {
    const rows = [aRow('a', { labelIds: ['L1', 'L2'] }), aRow('b', { labelIds: ['L1'] })];
    const found = choicesOf('label', labels, rows, 'INBOX').map(({ name, has }) => `${name} ${has}`);
    expect(found).toEqual(['Receipts none', 'Work all', 'Work/Atlas some']);
  });

  it('include the places one can move to, except where one is', () => {
    const found = choicesOf('move', labels, [aRow('a')], 'L1').map(({ name }) => name);
    expect(found).toEqual(['Inbox', 'Trash', 'Receipts', 'Work/Atlas']);
  });

  it('are found by any of their words', () => {
    const choices = choicesOf('label', labels, [], null);
    expect(matching(choices, 'atl').map(({ id }) => id)).toEqual(['L2']);
    expect(matching(choices, 'work a').map(({ id }) => id)).toEqual(['L2']);
    expect(matching(choices, 'x')).toEqual([]);
  });

  it('change only what was ticked differently', () => {
    const rows = [aRow('a', { labelIds: ['L1', 'L2'] }), aRow('b', { labelIds: ['L1'] })];
    const choices = choicesOf('label', labels, rows, null);
    const ticks = new Map([['L1', true], ['L2', true], ['L3', false]]); // prettier-ignore
    expect(changeOf(choices, ticks)).toEqual({ add: ['L2'], remove: [] });
  });
});

describe('a change of labels', () => {
  it('is sorted by what it does to each, so that undoing gives nothing that was not there', () => {
    const rows = [
      aRow('a', { labelIds: ['INBOX'] }),
      aRow('b', { labelIds: ['L1'] }),
      aRow('c', { labelIds: ['INBOX'] }),
    ];
    const parts = byEffect(rows, { add: ['L1'], remove: ['INBOX'] });
    expect(parts.map(({ rows: some, change }) => [ids(some), change])).toEqual([
      [['a', 'c'], { add: ['L1'], remove: ['INBOX'] }],
    ]);
    expect(byEffect(rows, { add: ['L1'], remove: [] }).map((part) => ids(part.rows))).toEqual([['a', 'c']]);
  });
});
