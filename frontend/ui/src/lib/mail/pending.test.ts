import { describe, expect, it } from 'vitest';
import type { LabelChange, Source } from './changes';
import { Pending } from './pending.svelte';
import { aRow, ids } from './testing';

const inbox: Source = { kind: 'label', label: 'INBOX' };
const all: Source = { kind: 'label', label: 'ALL' };
const archive: LabelChange = { add: [], remove: ['INBOX'] };
const read: LabelChange = { add: [], remove: ['UNREAD'] };

describe('changes shown before the server confirms them', () => {
  it('takes an archived conversation out of the inbox and leaves it in all mail', () => {
    const pending = new Pending();
    const rows = [aRow('a'), aRow('b')];
    pending.add([rows[0] ?? aRow('a')], archive);
    expect(ids(pending.apply(rows, inbox))).toEqual(['b']);
    expect(ids(pending.apply(rows, all))).toEqual(['a', 'b']);
  });

  it('shows a refused change as if it had never been made', () => {
    const pending = new Pending();
    const rows = [aRow('a', { labelIds: ['INBOX', 'UNREAD'] })];
    const id = pending.add(rows, read);
    expect(pending.apply(rows, inbox)[0]?.unread).toBe(false);
    pending.drop(id);
    expect(pending.apply(rows, inbox)).toBe(rows);
  });

  it('takes back one of two changes and keeps the other', () => {
    const pending = new Pending();
    const rows = [aRow('a', { labelIds: ['INBOX', 'UNREAD'] })];
    const star = pending.add(rows, { add: ['STARRED'], remove: [] });
    pending.add(rows, read);
    pending.drop(star);
    expect(pending.apply(rows, inbox)[0]).toMatchObject({ starred: false, unread: false });
  });

  it('keeps a conversation in the starred list when it loses its star, so that it can be given back', () => {
    const pending = new Pending();
    const rows = [aRow('a', { labelIds: ['INBOX', 'STARRED'] })];
    pending.add(rows, { add: [], remove: ['STARRED'] });
    expect(pending.apply(rows, { kind: 'label', label: 'STARRED' })[0]?.starred).toBe(false);
  });

  it('takes trashed conversations out of search results', () => {
    const pending = new Pending();
    const rows = [aRow('a'), aRow('b', { labelIds: ['TRASH'] })];
    pending.add(rows, { add: ['TRASH'], remove: ['INBOX'] });
    expect(ids(pending.apply(rows, { kind: 'search', query: 'x' }))).toEqual(['b']);
  });

  it('shows an archived conversation again when a newer message has arrived in it', () => {
    const pending = new Pending();
    pending.add([aRow('a')], archive);
    const answered = [aRow('a', { messageId: 'newer' })];
    expect(ids(pending.apply(answered, inbox))).toEqual(['a']);
  });

  it('settles a change into rows, after which dropping it changes nothing', () => {
    const pending = new Pending();
    const rows = [aRow('a'), aRow('b')];
    const id = pending.add([aRow('a')], archive);
    const settled = pending.settle(rows, inbox, id);
    pending.drop(id);
    expect(ids(pending.apply(settled, inbox))).toEqual(['b']);
  });
});
