import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Toasts } from './toasts.svelte';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('notices', () => {
  it('go by themselves, unless someone points at them', () => {
    const toasts = new Toasts();
    const id = toasts.show('Archived', { ms: 10_000 });
    toasts.hold(id);
    vi.advanceTimersByTime(60_000);
    expect(toasts.items).toHaveLength(1);
    toasts.release(id);
    vi.advanceTimersByTime(3_000);
    expect(toasts.items).toEqual([]);
  });

  it('are undone once, newest first', () => {
    const toasts = new Toasts();
    const run = vi.fn();
    toasts.show('Archived', { action: { label: 'Undo', run } });
    toasts.undo();
    toasts.undo();
    expect(run).toHaveBeenCalledOnce();
    expect(toasts.items).toEqual([]);
  });

  it('let an error stand beside the notice it concerns', () => {
    const toasts = new Toasts();
    toasts.show('Archived');
    toasts.show('Not archived', { tone: 'error' });
    toasts.show('Starred');
    expect(toasts.items.map(({ text }) => text)).toEqual(['Not archived', 'Starred']);
  });
});
