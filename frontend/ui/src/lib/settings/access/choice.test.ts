import { describe, expect, it } from 'vitest';
import { atMost, Choice } from './choice.svelte';

describe('what an owner agrees to', () => {
  it('is nothing until something is ticked', () => {
    const choice = new Choice();
    expect(choice.any).toBe(false);
    choice.set('a', true);
    expect(choice.messages).toEqual([{ id: 'a', attachments: false }]);
  });

  it('holds attachments only when they are ticked too', () => {
    const choice = new Choice();
    choice.setAttachments('a', true);
    expect(choice.messages).toEqual([]);
    choice.set('a', true);
    choice.setAttachments('a', true);
    expect(choice.messages).toEqual([{ id: 'a', attachments: true }]);
  });

  it('forgets the attachments of a message whose tick was taken off', () => {
    const choice = new Choice([{ id: 'a', attachments: true }]);
    choice.set('a', false);
    choice.set('a', true);
    expect(choice.hasAttachments('a')).toBe(false);
  });

  it('keeps the tick for attachments when a message is ticked twice', () => {
    const choice = new Choice([{ id: 'a', attachments: true }]);
    choice.set('a', true);
    expect(choice.hasAttachments('a')).toBe(true);
  });

  it('ends at the most messages an agreement may name', () => {
    const choice = new Choice();
    for (let i = 0; i <= atMost; i++) choice.set(String(i), true);
    expect(choice.messages).toHaveLength(atMost);
    expect(choice.has(String(atMost))).toBe(false);
    expect(choice.full).toBe(true);
  });
});
