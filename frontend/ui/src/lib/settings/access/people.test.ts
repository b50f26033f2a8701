import { describe, expect, it } from 'vitest';
import type { AccessEntry } from '../../api/types';
import { isOtherPerson, isSameLook, reasonOf, whoOf } from './people';

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
    expect(reasonOf(entry({ rule: 'agreement', why: 'case 77: It opens empty.' }))).toBe(
      'Why: case 77: It opens empty. Allowed by: your agreement (LU-HUM-1)',
    );
    expect(reasonOf(entry({ allowed: false }))).toBe('Why: support, case 77. Refused by the rules (LU-HUM-1)');
    expect(reasonOf(entry({ rule: 'owner_at_page' }))).toContain('Allowed by: owner at page');
  });

  it('belongs to the same look only when message, person and verdict are the same', () => {
    const one = entry({ message: '19a0' });
    expect(isSameLook(one, { ...one, decision: '01a3' })).toBe(true);
    for (const other of [
      { message: '19a1' },
      { allowed: false },
      { who: { kind: 'staff' as const } },
      { why: 'case 78' },
    ])
      expect(isSameLook(one, { ...one, ...other })).toBe(false);
    expect(isSameLook(entry({}), entry({}))).toBe(false);
  });
});
