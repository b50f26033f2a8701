import { describe, expect, it } from 'vitest';
import { groupOf, stateAt, type Group } from './states';

const now = Date.parse('2026-11-23T12:00:00Z');
const past = '2026-11-23T12:00:00Z';
const future = '2026-11-23T12:00:01Z';

describe('the list of staff', () => {
  it.each<[object, Group]>([
    [{ state: 'active', endsAt: future, may: ['view', 'close'] }, 'view'],
    [{ state: 'active', endsAt: future, may: [] }, 'waiting'],
    [{ state: 'active', endsAt: past, may: ['view', 'close'] }, 'ended'],
    [{ state: 'requested', may: ['approve', 'decline'] }, 'decide'],
    [{ state: 'requested', may: ['withdraw'] }, 'waiting'],
    [{ state: 'offered', may: ['take'] }, 'offers'],
    [{ state: 'offered', may: [] }, 'offers'],
    [{ state: 'pending', answerBy: future, may: ['withdraw'] }, 'waiting'],
    [{ state: 'pending', answerBy: past, may: ['withdraw'] }, 'ended'],
    [{ state: 'revoked', may: [] }, 'ended'],
  ])('%j belongs to %s', (request, want) => {
    expect(groupOf(request as never, now)).toBe(want);
  });
});

describe('a state whose time has passed', () => {
  it('is the ending, though the server has not said so', () => {
    expect(stateAt({ state: 'pending', answerBy: past }, now)).toBe('expired');
    expect(stateAt({ state: 'active', endsAt: past }, now)).toBe('lapsed');
    expect(stateAt({ state: 'requested', answerBy: past }, now)).toBe('requested');
  });
});
