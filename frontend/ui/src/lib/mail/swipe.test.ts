import { afterEach, describe, expect, it, vi } from 'vitest';
import { swipeRows, tellAcross } from './swipe';

afterEach(() => document.body.replaceChildren());

function aGrid(act: (row: HTMLElement) => void, can = () => true) {
  const grid = document.body.appendChild(document.createElement('div'));
  const row = grid.appendChild(document.createElement('div'));
  row.setAttribute('role', 'row');
  Object.defineProperty(row, 'clientWidth', { value: 400 });
  // Nothing moves by itself here, so that the end is at once.
  vi.spyOn(window, 'matchMedia').mockReturnValue({ matches: true } as MediaQueryList);
  grid.setPointerCapture = () => undefined;
  const stop = swipeRows(grid, can, act);
  const finger = (type: string, clientX: number, clientY = 0, pointerType = 'touch') =>
    row.dispatchEvent(new PointerEvent(type, { clientX, clientY, pointerType, isPrimary: true, bubbles: true }));
  return { grid, row, finger, stop };
}

describe('a row under a finger', () => {
  it('is archived when it was pushed far enough, and opens nothing', () => {
    const act = vi.fn();
    const { row, finger } = aGrid(act);
    finger('pointerdown', 300);
    finger('pointermove', 200);
    expect(row.style.translate).toBe('-100px');
    finger('pointermove', 100);
    finger('pointerup', 100);
    expect(act).toHaveBeenCalledExactlyOnceWith(row);
    const click = new MouseEvent('click', { bubbles: true, cancelable: true });
    row.dispatchEvent(click);
    expect(click.defaultPrevented).toBe(true);
  });

  it('comes back when it was not, or when the finger was taken away by scrolling', () => {
    const act = vi.fn();
    const { grid, row, finger } = aGrid(act);
    finger('pointerdown', 300);
    finger('pointermove', 250);
    finger('pointerup', 250);
    finger('pointerdown', 300);
    finger('pointermove', 20);
    finger('pointercancel', 20);
    expect(act).not.toHaveBeenCalled();
    expect(row.style.translate).toBe('');
    expect(grid.children).toHaveLength(1);
  });

  it('stays while the list is scrolled, for a mouse, and where archiving means nothing', () => {
    const act = vi.fn();
    const { row, finger } = aGrid(act);
    finger('pointerdown', 300);
    finger('pointermove', 290, 60);
    finger('pointermove', 20, 60);
    expect(row.style.translate).toBe('');
    finger('pointerdown', 300, 0, 'mouse');
    finger('pointermove', 20, 0, 'mouse');
    finger('pointerup', 20, 0, 'mouse');
    const fixed = aGrid(act, () => false);
    fixed.finger('pointerdown', 300);
    fixed.finger('pointermove', 20);
    fixed.finger('pointerup', 20);
    expect(act).not.toHaveBeenCalled();
  });
});

describe('a finger across a conversation', () => {
  const touch = (type: string, screenX: number, screenY = 0) => {
    const point = { screenX, screenY };
    return Object.assign(new Event(type, { bubbles: true }), { touches: [point], changedTouches: [point] });
  };

  it('turns the page forward to the left, back to the right, and not when it strays', () => {
    const box = document.body.appendChild(document.createElement('div'));
    const steps: number[] = [];
    box.addEventListener('across', (event) => steps.push((event as CustomEvent<number>).detail));
    const stop = tellAcross(box, box);
    const draw = (dx: number, dy = 0) => {
      box.dispatchEvent(touch('touchstart', 200));
      box.dispatchEvent(touch('touchend', 200 + dx, dy));
    };
    draw(-120);
    draw(120);
    draw(-120, 80);
    draw(-40);
    expect(steps).toEqual([1, -1]);
    stop();
    draw(-120);
    expect(steps).toHaveLength(2);
  });
});
