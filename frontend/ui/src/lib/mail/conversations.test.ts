import { describe, expect, it, vi } from 'vitest';
import { asProblem } from '../api/problem';
import type { Conversation, Message } from '../api/types';
import { Conversations, expandedAtFirst } from './conversations.svelte';

const message = (id: string, more: Partial<Message> = {}): Message => ({
  id,
  threadId: '1',
  subject: '',
  from: { email: 'a@example.com' },
  to: [],
  cc: [],
  date: 0,
  labelIds: more.unread ? ['UNREAD'] : [],
  unread: false,
  starred: false,
  draft: false,
  snippet: '',
  bodyUrl: '',
  bodyKind: 'html',
  attachments: [],
  quotedTail: false,
  remoteImages: false,
  ...more,
});
const conversation = (...messages: Message[]): Conversation => ({
  id: '1',
  subject: 's',
  labelIds: ['INBOX'],
  messages,
});

describe('which messages are open at first', () => {
  it('opens the last one, and those that are unread', () => {
    expect(expandedAtFirst([message('a'), message('b', { unread: true }), message('c')])).toEqual(['b', 'c']);
  });

  it('opens the last one that was sent when a draft comes after it', () => {
    expect(expandedAtFirst([message('a'), message('b'), message('c', { draft: true })])).toEqual(['b']);
  });
});

describe('open conversations', () => {
  it('leaves folded what the person folded when the conversation is fetched again', async () => {
    const fetch = vi.fn(() => Promise.resolve(conversation(message('a'), message('b'))));
    const open = new Conversations(fetch, asProblem).open('1');
    await open.load();
    open.toggle('b');
    fetch.mockResolvedValue(conversation(message('a'), message('b'), message('c')));
    await open.load();
    expect([...open.expanded]).toEqual(['c']);
  });

  it('shows a star at once and takes it back when it is refused', async () => {
    const open = new Conversations(() => Promise.resolve(conversation(message('a'), message('b'))), asProblem).open(
      '1',
    );
    await open.load();
    const back = open.patch({ add: ['STARRED'], remove: [] }, ['a']);
    expect(open.data?.messages.map(({ starred }) => starred)).toEqual([true, false]);
    back();
    expect(open.data?.messages.map(({ starred }) => starred)).toEqual([false, false]);
  });

  it('keeps what is on the screen when fetching it anew fails', async () => {
    const fetch = vi.fn(() => Promise.resolve(conversation(message('a'))));
    const open = new Conversations(fetch, asProblem).open('1');
    await open.load();
    fetch.mockRejectedValue(new TypeError('offline'));
    await open.load();
    expect(open.data?.messages).toHaveLength(1);
    expect(open.problem).toBeNull();
  });
});
