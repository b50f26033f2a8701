import { describe, expect, it } from 'vitest';
import { keptOut } from './remote-images.svelte';

describe('keptOut', () => {
  it('names who was kept out', () => {
    expect(keptOut({ trackers: 0, trackedBy: [] })).toBe('');
    expect(keptOut({ trackers: 1, trackedBy: ['Mailchimp'] })).toBe('1 tracker was kept out: Mailchimp.');
    expect(keptOut({ trackers: 3, trackedBy: ['HubSpot', 'example.org'] })).toBe(
      '3 trackers were kept out: HubSpot, example.org.',
    );
  });

  it('names three at most', () => {
    expect(keptOut({ trackers: 5, trackedBy: ['a', 'b', 'c', 'd', 'e'] })).toBe(
      '5 trackers were kept out: a, b, c, 2 more.',
    );
  });
});
