import { describe, expect, it } from 'vitest';
import { ApiError } from '../api/problem';
import { Faults } from '../state/faults.svelte';
import { Toasts } from '../state/toasts.svelte';
import { staffAbsorb } from './absorb';

const thrown = (code: string) => new ApiError({ type: 'about:blank', title: 'No', status: 409, code });

describe('failures on a staff page', () => {
  it('never ask staff to reconnect the mailbox of somebody else', () => {
    const faults = new Faults(new Toasts());
    for (const code of ['reconnect', 'consent_required', 'not_connected'])
      expect(staffAbsorb(faults)(thrown(code))?.code).toBe(code);
    expect(faults.connection).toBeNull();
  });

  it('take the page over where they concern the person at it', () => {
    const faults = new Faults(new Toasts());
    expect(staffAbsorb(faults)(thrown('unauthenticated'))).toBeNull();
    expect(faults.signedOut).toBe(true);
  });
});
