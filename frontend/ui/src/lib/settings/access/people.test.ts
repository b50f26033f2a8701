import { describe, expect, it } from 'vitest';
import type { AccessEntry } from '../../api/types';
import { isOtherPerson, reasonOf, whoOf } from './people';

const entry = (more: Partial<AccessEntry>): AccessEntry => ({
  at: '2026-11-23T12:00:00Z',
  who: { kind: 'staff', name: 'Sam Support' },
  what: 'looked at this message',
  why: 'support, case 77',
  clauses: ['LU-HUM-1'],
  decision: '01a2',
  allowed: true,
  ...more,
});

describe('an entry of the access history', () => {
  it('names a person where the log can, and their part where it cannot', () => {
    expect(whoOf({ kind: 'staff', name: 'Sam Support' })).toBe('Sam Support (staff)');
    expect(whoOf({ kind: 'staff' })).toBe('A member of staff');
    expect(whoOf({ kind: 'service', name: 'Live updates' })).toBe('Live updates');
  });

  it('counts as somebody else only when a person other than the owner looked', () => {
    const others = (['staff', 'auditor', 'reviewer', 'service', 'owner'] as const).filter((kind) =>
      isOtherPerson({ kind }),
    );
    expect(others).toEqual(['staff', 'auditor', 'reviewer']);
  });

  it('says why, and under which rule it was allowed or refused', () => {
    expect(reasonOf(entry({ rule: 'your agreement' }))).toBe(
      'Why: support, case 77. Allowed by: your agreement (LU-HUM-1)',
    );
    expect(reasonOf(entry({ rule: 'no agreement', allowed: false }))).toBe(
      'Why: support, case 77. Refused by: no agreement (LU-HUM-1)',
    );
    expect(reasonOf(entry({ clauses: [] }))).toBe('Why: support, case 77');
  });
});
