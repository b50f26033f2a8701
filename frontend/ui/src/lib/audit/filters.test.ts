import { describe, expect, it } from 'vitest';
import { describe as inWords } from './describe';
import { auditPath, countable, readFilters, readView, writeFilters } from './filters';

describe('filters in an address', () => {
  it('are read back as they were written', () => {
    const filters = { kind: 'decision', allowed: false, clause: 'LU-4', since: '2026-11-01T00:00:00.000Z' } as const;
    expect(readFilters(writeFilters(filters))).toEqual(filters);
    expect(writeFilters({})).toBe('');
  });

  it('leave out what makes no sense', () => {
    expect(readFilters('?kind=everything&allowed=maybe&since=yesterday&actor=%20&other=1')).toEqual({});
  });
});

describe("the page's address", () => {
  it('names the view, and the filters where they count', () => {
    expect(readView('?view=review')).toBe('review');
    expect(readView('?view=secrets&kind=decision')).toBe('events');
    expect(auditPath('people', { allowed: false })).toBe('/audit?view=people');
    expect(readFilters(auditPath('events', { actorKind: 'staff', outcome: 'failed' }).slice('/audit'.length))).toEqual({
      actorKind: 'staff',
      outcome: 'failed',
    });
  });

  it('counts by day for groups, not for one person or mailbox', () => {
    expect(countable({ actorKind: 'staff', allowed: false })).toBe(true);
    expect(countable({ actor: 'p_1' }) || countable({ account: 'a_1' }) || countable({ decisionId: 'x' })).toBe(false);
  });
});

describe('events in words', () => {
  it('says who was refused what', () => {
    const { headline, lines } = inWords({
      index: 7,
      kind: 'decision',
      time: '',
      actorKind: 'support',
      actor: 'p_1',
      operation: 'read_message',
      allowed: false,
      clauses: ['LU-4'],
      body: {},
    });
    expect(headline).toBe('A support person was refused: read message.');
    expect(lines).toContainEqual({ name: 'Refused by clauses', value: 'LU-4' });
  });

  it('says of an outcome what it knows: which decision, how many', () => {
    const body = { decision: 267, items: 49, bytes: 0 };
    const { headline, lines } = inWords({ index: 268, kind: 'outcome', time: '', outcome: 'done', body });
    expect(headline).toBe('What was decided at 267 was carried out.');
    expect(lines).toContainEqual({ name: 'Items', value: '49' });
    expect(lines.map(({ name }) => name)).not.toContain('Who');
  });

  it('knows no actor it was not told of', () => {
    expect(inWords({ index: 7, kind: 'decision', time: '', operation: 'x', allowed: true, body: {} }).headline).toBe(
      'Somebody was allowed: x.',
    );
  });
});
