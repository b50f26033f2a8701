import { describe, expect, it, vi } from 'vitest';
import { ApiError, asProblem, offline } from '../api/problem';
import type { ThreadPage } from '../api/types';
import type { Source } from './changes';
import { Pending } from './pending.svelte';
import { aRow, ids } from './testing';
import { mergeHead, ThreadList } from './thread-list.svelte';

const inbox: Source = { kind: 'label', label: 'INBOX' };
const page = (rows: string, nextPage?: string): ThreadPage => ({
  threads: [...rows].map((id, i) => aRow(id, { date: 1_000 - id.charCodeAt(0) * 1 - i * 0 })),
  estimate: 100,
  ...(nextPage && { nextPage }),
});

function aList(pages: Record<string, ThreadPage>, pending = new Pending()) {
  const fetch = vi.fn((_source: Source, token = 'first') => {
    const found = pages[token];
    return found ? Promise.resolve(found) : Promise.reject(new ApiError(offline));
  });
  return { fetch, pages, list: new ThreadList(inbox, fetch, pending, asProblem) };
}

describe('a list of conversations', () => {
  it('loads its pages one after another and stops at the last', async () => {
    const { list, fetch } = aList({ first: page('ab', '2'), 2: page('cd') });
    await list.refresh();
    expect(list.more).toBe(true);
    await list.loadMore();
    expect(ids(list.rows)).toEqual(['a', 'b', 'c', 'd']);
    expect(list.more).toBe(false);
    await list.loadMore();
    expect(fetch).toHaveBeenCalledTimes(2);
  });

  it('is chosen as a whole by loading it to its end, so that the number is a count', async () => {
    const { list } = aList({ first: page('ab', '2'), 2: page('cd', '3'), 3: page('e') });
    await list.refresh();
    const scrolling = list.loadMore();
    await Promise.all([scrolling, list.selectEverything()]);
    expect(ids(list.chosen)).toEqual(['a', 'b', 'c', 'd', 'e']);
    expect(list.gathering).toBe(false);
  });

  it('leaves the choice alone when the rest cannot be loaded, or is no longer wanted', async () => {
    const failing = aList({ first: page('ab', '2') }).list;
    await failing.refresh();
    await failing.selectEverything();
    expect(failing.chosen).toEqual([]);
    expect(failing.gathering).toBe(false);

    const { list } = aList({ first: page('ab', '2'), 2: page('cd', '3'), 3: page('e') });
    await list.refresh();
    const gathered = list.selectEverything();
    list.gathering = false;
    await gathered;
    expect(list.chosen).toEqual([]);
  });

  it('asks for a page once, however often the end comes into view', async () => {
    const { list, fetch } = aList({ first: page('ab', '2'), 2: page('cd') });
    await list.refresh();
    await Promise.all([list.loadMore(), list.loadMore(), list.loadMore()]);
    expect(fetch).toHaveBeenCalledTimes(2);
    expect(ids(list.rows)).toEqual(['a', 'b', 'c', 'd']);
  });

  it('leaves out a conversation that moved from one page to the next meanwhile', async () => {
    const { list } = aList({ first: page('ab', '2'), 2: page('bc') });
    await list.refresh();
    await list.loadMore();
    expect(ids(list.rows)).toEqual(['a', 'b', 'c']);
  });

  it('says what is wrong when the first page fails, and keeps what is there when a later one does', async () => {
    const broken = aList({});
    await broken.list.refresh();
    expect(broken.list).toMatchObject({ phase: 'failed', problem: { code: 'offline' } });

    const { list, pages } = aList({ first: page('ab', '2') });
    await list.refresh();
    await list.loadMore();
    expect(list.moreProblem?.code).toBe('offline');
    expect(ids(list.rows)).toEqual(['a', 'b']);
    pages['2'] = page('c');
    await list.retryMore();
    expect(ids(list.rows)).toEqual(['a', 'b', 'c']);
  });

  it('brings new mail to the top and keeps the selection and the pages below', async () => {
    const { list, pages } = aList({ first: page('bc', '2'), 2: page('de') });
    await list.refresh();
    await list.loadMore();
    list.selected.add('c');
    list.moveToThread('c');
    pages['first'] = page('abc', '2');
    await list.refresh();
    expect(ids(list.rows)).toEqual(['a', 'b', 'c', 'd', 'e']);
    expect([...list.selected]).toEqual(['c']);
    expect(list.rows[list.cursor]?.id).toBe('c');
  });

  it('forgets the selection of what is no longer there', async () => {
    const { list, pages } = aList({ first: page('abc') });
    await list.refresh();
    list.selectAll();
    pages['first'] = page('ac');
    await list.refresh();
    expect([...list.selected]).toEqual(['a', 'c']);
  });

  it('gives the cursor of an archived conversation to the one that moves up', async () => {
    const pending = new Pending();
    const { list } = aList({ first: page('abc') }, pending);
    await list.refresh();
    list.moveTo(1);
    const [, second] = list.rows;
    pending.add(second ? [second] : [], { add: [], remove: ['INBOX'] });
    expect(list.rows[list.cursor]?.id).toBe('c');
    list.moveTo(list.cursor);
    expect(list.rows[list.cursor]?.id).toBe('c');
  });

  it('keeps the cursor within the list', async () => {
    const { list } = aList({ first: page('ab') });
    expect(list.cursor).toBe(-1);
    await list.refresh();
    list.moveTo(99);
    expect(list.cursor).toBe(1);
    list.moveTo(-5);
    expect(list.cursor).toBe(0);
  });

  it('selects everything between the cursor and a row', async () => {
    const { list } = aList({ first: page('abcde') });
    await list.refresh();
    list.moveTo(3);
    list.selectThrough(1);
    expect([...list.selected].sort()).toEqual(['b', 'c', 'd']);
  });
});

describe('putting a fresh first page before known rows', () => {
  const at = (id: string, date: number) => aRow(id, { date });

  it('drops what the fresh page should hold and does not', () => {
    const known = [at('a', 50), at('b', 40), at('c', 30), at('d', 20)];
    const { rows } = mergeHead(known, [at('a', 50), at('c', 30)], true);
    expect(ids(rows)).toEqual(['a', 'c', 'd']);
  });

  it('begins anew when the fresh page does not touch the known rows', () => {
    const { rows, gap } = mergeHead([at('a', 10)], [at('x', 50), at('y', 40)], true);
    expect(ids(rows)).toEqual(['x', 'y']);
    expect(gap).toBe(true);
  });

  it('takes the fresh page alone when it is all there is', () => {
    const { rows } = mergeHead([at('a', 10), at('b', 5)], [at('b', 20)], false);
    expect(ids(rows)).toEqual(['b']);
  });
});
