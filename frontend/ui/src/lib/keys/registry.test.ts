import { afterEach, describe, expect, it, vi } from 'vitest';
import { keycaps, listen, sheet, type Shortcut } from './registry';

const shortcut = (
  keys: string,
  run = vi.fn(),
  more: Partial<Shortcut> = {},
): Shortcut & { run: ReturnType<typeof vi.fn> } =>
  ({ id: keys, keys, group: 'Act', label: keys, run, ...more }) as Shortcut & { run: ReturnType<typeof vi.fn> };

let stop: () => void = () => undefined;
afterEach(() => {
  stop();
  document.body.replaceChildren();
});

function press(key: string, target: EventTarget = document.body, init: KeyboardEventInit = {}) {
  const event = new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true, ...init });
  target.dispatchEvent(event);
  return event;
}

describe('keys', () => {
  it('run their shortcut and keep the browser from using them', () => {
    const archive = shortcut('e');
    stop = listen([archive], () => false);
    expect(press('e').defaultPrevented).toBe(true);
    expect(archive.run).toHaveBeenCalledOnce();
  });

  it('are letters in a text field', () => {
    const archive = shortcut('e');
    stop = listen([archive], () => false);
    const field = document.body.appendChild(document.createElement('input'));
    press('e', field);
    expect(archive.run).not.toHaveBeenCalled();
  });

  it('do nothing while a dialog is open', () => {
    const archive = shortcut('e');
    stop = listen([archive], () => true);
    press('e');
    expect(archive.run).not.toHaveBeenCalled();
  });

  it('work in a text field when they say so, and never in a dialog', () => {
    const palette = shortcut('$mod+k', vi.fn(), { typing: true });
    stop = listen([palette], () => false);
    press('k', document.body.appendChild(document.createElement('input')), { ctrlKey: true });
    expect(palette.run).toHaveBeenCalledOnce();
    const dialog = document.body.appendChild(document.createElement('dialog'));
    press('k', dialog.appendChild(document.createElement('input')), { ctrlKey: true });
    expect(palette.run).toHaveBeenCalledOnce();
  });

  it('do nothing when their key was taken away', () => {
    const archive = shortcut('');
    stop = listen([archive], () => false);
    press('e');
    expect(archive.run).not.toHaveBeenCalled();
  });

  it('press the button that has the focus, rather than opening a conversation', () => {
    const open = shortcut('Enter');
    stop = listen([open], () => false);
    press('Enter', document.body.appendChild(document.createElement('button')));
    expect(open.run).not.toHaveBeenCalled();
  });

  it('leave the second key of a sequence to the sequence', () => {
    const star = shortcut('s');
    const goToStarred = shortcut('g s');
    stop = listen([star, goToStarred], () => false);
    press('g');
    press('s');
    expect(goToStarred.run).toHaveBeenCalledOnce();
    expect(star.run).not.toHaveBeenCalled();
  });

  it('find a sign with and without Shift, as keyboards differ', () => {
    const trash = shortcut('#');
    stop = listen([trash], () => false);
    press('#');
    press('#', document.body, { shiftKey: true });
    expect(trash.run).toHaveBeenCalledTimes(2);
  });

  it('choose the first of several that applies', () => {
    const back = shortcut('Escape', vi.fn(), { when: () => false });
    const clear = shortcut('Escape', vi.fn(), { when: () => true });
    stop = listen([back, clear], () => false);
    press('Escape');
    expect(back.run).not.toHaveBeenCalled();
    expect(clear.run).toHaveBeenCalledOnce();
  });
});

describe('the help sheet', () => {
  it('has one line for a label, with each of its keys once', () => {
    const lines = sheet([
      shortcut('j', vi.fn(), { label: 'Next' }),
      shortcut('ArrowDown', vi.fn(), { label: 'Next' }),
      shortcut('j', vi.fn(), { label: 'Next' }),
    ]);
    expect(lines).toEqual([{ group: 'Act', lines: [{ label: 'Next', keys: ['j', 'ArrowDown'] }] }]);
  });

  it('writes keys as they stand on the keyboard', () => {
    expect(keycaps('g i', false)).toEqual(['g', 'i']);
    expect(keycaps('$mod+Enter', false)).toEqual(['Ctrl + Enter']);
    expect(keycaps('$mod+Enter', true)).toEqual(['⌘ + Enter']);
    expect(keycaps('ArrowDown', false)).toEqual(['↓']);
  });
});
