import { describe, expect, it } from 'vitest';
import { conflicts, isTaken, notation } from './conflicts';
import { keyIds, keys } from './keymap';

const standard = (id: (typeof keyIds)[number]) => keys[id].keys;

describe('the default keys', () => {
  it('do not stand in each other’s way', () => {
    for (const id of keyIds) expect(conflicts(id, keys[id].keys, standard), id).toEqual([]);
  });
});

describe('conflicts', () => {
  it('name what has the key already', () => {
    expect(conflicts('archive', 's', standard)).toEqual([{ with: 'star', kind: 'same' }]);
  });

  it('are none between a list and a conversation', () => {
    expect(conflicts('select', 'r', standard)).toEqual([]);
  });

  it('include the beginning of a sequence', () => {
    expect(conflicts('archive', 'g', standard)).toContainEqual({ with: 'goInbox', kind: 'begins' });
    expect(conflicts('archive', 'j j', standard)).toEqual([{ with: 'older', kind: 'begins' }]);
  });

  it('are none for a key that is taken away', () => {
    expect(conflicts('archive', '', standard)).toEqual([]);
  });
});

describe('a pressed key', () => {
  const pressed = (key: string, more: KeyboardEventInit = {}) =>
    notation(new KeyboardEvent('keydown', { key, ...more }));

  it('is written as the registry writes it', () => {
    expect(pressed('e')).toBe('e');
    expect(pressed('I', { shiftKey: true })).toBe('Shift+I');
    expect(pressed('#', { shiftKey: true })).toBe('#');
    expect(pressed('k', { ctrlKey: true })).toBe('$mod+k');
    expect(pressed('Enter', { shiftKey: true })).toBe('Shift+Enter');
  });

  it('is nothing while only a modifier is held', () => {
    expect(pressed('Shift', { shiftKey: true })).toBeNull();
  });

  it('is refused when the browser needs it', () => {
    expect(isTaken('$mod+t')).toBe(true);
    expect(isTaken('Tab')).toBe(true);
    expect(isTaken('$mod+k')).toBe(false);
  });
});
