import { describe, expect, it } from 'vitest';
import { byStage, ending, stageOf } from './stages';

const now = Date.parse('2026-11-23T12:00:00Z');
const before = '2026-11-23T11:59:59Z';
const after = '2026-11-23T12:00:01Z';

describe('where a request stands', () => {
  it.each([
    [{ state: 'pending', answerBy: after }, 'answer'],
    [{ state: 'pending', answerBy: before }, 'over'],
    [{ state: 'pending', answerBy: '2026-11-23T12:00:00Z' }, 'over'],
    [{ state: 'active', endsAt: after }, 'open'],
    [{ state: 'active', endsAt: before }, 'over'],
    [{ state: 'offered' }, 'waiting'],
    [{ state: 'requested' }, 'waiting'],
    [{ state: 'refused' }, 'over'],
    [{ state: 'something new' }, 'over'],
  ] as const)('%j is %s', (request, want) => {
    expect(stageOf(request as never, now)).toBe(want);
  });

  it('is over the moment its time is, without asking the server', () => {
    const request = { state: 'active', endsAt: after } as never;
    expect(stageOf(request, now)).toBe('open');
    expect(stageOf(request, now + 1_000)).toBe('over');
  });

  it('keeps the order within each stage', () => {
    const requests = ['a', 'b', 'c'].map((id) => ({ id, state: id === 'b' ? 'closed' : 'pending', answerBy: after }));
    const groups = byStage(requests as never[], now) as unknown as Record<string, { id: string }[]>;
    expect(groups['answer']?.map(({ id }) => id)).toEqual(['a', 'c']);
    expect(groups['over']?.map(({ id }) => id)).toEqual(['b']);
  });
});

describe('how it ended', () => {
  it('tells a time that was over from an answer that never came', () => {
    expect(ending({ state: 'lapsed' })).toBe('The time was over.');
    expect(ending({ state: 'active' })).toBe('The time was over.');
    expect(ending({ state: 'expired' })).toContain('counts as no');
    expect(ending({ state: 'pending' })).toContain('counts as no');
    expect(ending({ state: 'revoked' })).toBe('You took your agreement back.');
  });
});
