import { beforeEach, describe, expect, it } from 'vitest';
import { KeyChoices } from './choices.svelte';

beforeEach(() => localStorage.clear());

describe('chosen keys', () => {
  it('are kept in this browser, and only what differs', () => {
    const choices = new KeyChoices();
    choices.set('archive', 'y');
    choices.set('trash', '#');
    expect(localStorage.getItem('keys')).toBe('{"archive":"y"}');
    expect(new KeyChoices().of('archive')).toBe('y');
    expect(new KeyChoices().of('star')).toBe('s');
  });

  it('show in tooltips in place of the default', () => {
    const choices = new KeyChoices();
    choices.set('archive', 'y');
    expect(choices.hint('e')).toBe('y');
    expect(choices.hint('#')).toBe('#');
  });

  it('leave no hint when keys are off, except for keys held with Ctrl', () => {
    const choices = new KeyChoices();
    choices.turn(false);
    expect(choices.hint('e')).toBe('');
    expect(choices.hint('$mod+k')).toBe('$mod+k');
    expect(new KeyChoices().on).toBe(false);
  });

  it('are the defaults when the store holds nonsense', () => {
    localStorage.setItem('keys', '{"archive":7,"nothing":"q"}');
    expect(new KeyChoices().own).toEqual({});
    localStorage.setItem('keys', 'not json');
    expect(new KeyChoices().of('archive')).toBe('e');
  });

  it('can all be given back', () => {
    const choices = new KeyChoices();
    choices.set('archive', '');
    choices.reset();
    expect(choices.of('archive')).toBe('e');
    expect(localStorage.getItem('keys')).toBeNull();
  });
});
