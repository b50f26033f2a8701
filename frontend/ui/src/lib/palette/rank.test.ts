import { describe, expect, it } from 'vitest';
import { best, score } from './rank';

const titles = (found: { title: string }[]) => found.map(({ title }) => title);

describe('what the palette finds', () => {
  const all = ['Mark as unread', 'Archive', 'Move to…', 'All mail', 'Work/Archive 2024'].map((title) => ({ title }));

  it('begins with what begins as it was typed', () => {
    expect(titles(best(all, 'ar', 9))).toEqual(['Archive', 'Work/Archive 2024', 'Mark as unread']);
  });

  it('has every word', () => {
    expect(titles(best(all, 'arch 2024', 9))).toEqual(['Work/Archive 2024']);
    expect(best(all, 'archive nothing', 9)).toEqual([]);
  });

  it('does not mind accents and capitals', () => {
    expect(score({ title: 'München' }, 'MUN')).toBeGreaterThan(0);
    expect(score({ title: 'Munich' }, 'mün')).toBeGreaterThan(0);
  });

  it('is found by its other words, after its name', () => {
    const found = best([{ title: 'General', also: 'theme dark' }, { title: 'Dark theme' }], 'dark', 9);
    expect(titles(found)).toEqual(['Dark theme', 'General']);
  });

  it('is everything, in its order and up to the limit, while nothing is typed', () => {
    expect(titles(best(all, ' ', 2))).toEqual(['Mark as unread', 'Archive']);
  });
});
