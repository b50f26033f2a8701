import { describe, expect, it } from 'vitest';
import { asProblem } from '../api/problem';
import type { Label } from '../api/types';
import { Labels } from './labels.svelte';
import { aRow } from './testing';

const inbox = (threadsUnread: number): Label => ({
  id: 'INBOX',
  name: 'INBOX',
  type: 'system',
  hidden: false,
  threadsUnread,
});

async function labelsWith(unread: number) {
  const answers = [[inbox(unread)], [inbox(40)]];
  const labels = new Labels(() => Promise.resolve(answers.shift() ?? []), asProblem);
  await labels.refresh();
  return labels;
}

const unreadRow = aRow('a', { labelIds: ['INBOX', 'UNREAD'] });

describe('the counts beside labels', () => {
  it('fall at once when a conversation is read, and rise again when that is refused', async () => {
    const labels = await labelsWith(7);
    const back = labels.shift([unreadRow], { add: [], remove: ['UNREAD'] });
    expect(labels.unread).toBe(6);
    back();
    expect(labels.unread).toBe(7);
  });

  it('fall when an unread conversation is archived, and never below nothing', async () => {
    const labels = await labelsWith(0);
    labels.shift([unreadRow], { add: [], remove: ['INBOX'] });
    expect(labels.unread).toBe(0);
  });

  it('are the server’s own after they were fetched anew, whatever is taken back then', async () => {
    const labels = await labelsWith(7);
    const back = labels.shift([unreadRow], { add: [], remove: ['UNREAD'] });
    await labels.refresh();
    back();
    expect(labels.unread).toBe(40);
  });
});
