import { describe, expect, it } from 'vitest';
import { ApiError } from '../api/problem';
import type { Problem } from '../api/types';
import { Faults } from './faults.svelte';
import { Toasts } from './toasts.svelte';

const thrown = (code: string, more: Partial<Problem> = {}) =>
  new ApiError({ type: 'about:blank', title: 'No', status: 400, code, ...more });

describe('the one error path', () => {
  it('lets failures of the whole page take it over', () => {
    const faults = new Faults(new Toasts());
    expect(faults.absorb(thrown('unauthenticated'))).toBeNull();
    expect(faults.signedOut).toBe(true);
    expect(faults.absorb(thrown('gate_closed', { since: '2026-11-23T10:00:00Z' }))).toBeNull();
    expect(faults.gate?.since).toBe('2026-11-23T10:00:00Z');
    expect(faults.absorb(thrown('reconnect'))).toBeNull();
    expect(faults.connection?.code).toBe('reconnect');
    faults.clear();
    expect(faults).toMatchObject({ signedOut: false, gate: null, connection: null });
  });

  it('says every other failure, naming the clause and the decision of a refusal', () => {
    const toasts = new Toasts();
    new Faults(toasts).report(thrown('policy_denied', { clauses: ['LU-4'], decisionId: '01J' }), 'Not opened');
    expect(toasts.items[0]).toMatchObject({
      tone: 'error',
      text: 'Not opened. Refused by policy (clause LU-4). Decision 01J.',
    });
  });

  it('tells a missing network from a fault of this page', () => {
    const faults = new Faults(new Toasts());
    expect(faults.absorb(new TypeError('Failed to fetch'))?.code).toBe('offline');
    expect(faults.absorb(new Error('bug'))?.code).toBe('internal');
  });
});
