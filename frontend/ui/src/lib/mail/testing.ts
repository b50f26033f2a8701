import type { ThreadRow } from '../api/types';

/** A conversation for tests: everything that does not matter there has a plain value. */
export function aRow(id: string, more: Partial<ThreadRow> = {}): ThreadRow {
  const labelIds = more.labelIds ?? ['INBOX'];
  return {
    id,
    messageId: `${id}0`,
    subject: `subject ${id}`,
    from: [{ email: `${id}@example.com` }],
    snippet: '',
    date: 1_000,
    messages: 1,
    attachment: false,
    draft: false,
    ...more,
    labelIds,
    unread: labelIds.includes('UNREAD'),
    starred: labelIds.includes('STARRED'),
  };
}

export const ids = (rows: ThreadRow[]): string[] => rows.map((row) => row.id);
