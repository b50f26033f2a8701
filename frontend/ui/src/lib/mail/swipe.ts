/** The share of a row's width after which letting go archives. */
const enough = 0.35;
/** How far a finger moves, in pixels, before it is known where it is going. */
const slack = 12;

/**
 * Lets rows be pushed aside by a finger. `act` is called with the row when it was pushed far enough; `can` says which
 * ones may be. The rows' own `transform` is left alone. Answers how to stop.
 */
export function swipeRows(
  grid: HTMLElement,
  can: (row: HTMLElement) => boolean,
  act: (row: HTMLElement) => void,
): () => void {
  const still = matchMedia('(prefers-reduced-motion: reduce)');
  let row: HTMLElement | null = null;
  let under: HTMLElement | null = null;
  let start = { x: 0, y: 0 };
  let dx = 0;
  /** the click that follows a swipe opens nothing */
  let swiped = false;

  const down = (event: PointerEvent) => {
    swiped = false;
    if (event.pointerType !== 'touch' || !event.isPrimary) return;
    const found = (event.target as Element).closest<HTMLElement>('[role=row]');
    row = found && can(found) ? found : null;
    start = { x: event.clientX, y: event.clientY };
    dx = 0;
  };

  const move = (event: PointerEvent) => {
    if (!row || !event.isPrimary) return;
    const x = event.clientX - start.x;
    const y = event.clientY - start.y;
    if (!under) {
      if (Math.abs(y) > slack) row = null;
      if (!row || Math.abs(x) < slack) return;
      under = ground(row);
      row.style.background = 'var(--surface)'; // rows let a little through
      grid.setPointerCapture(event.pointerId);
    }
    dx = x;
    row.style.translate = `${dx}px`;
    under.style.justifyContent = dx > 0 ? 'flex-start' : 'flex-end';
    under.style.opacity = Math.abs(dx) > row.clientWidth * enough ? '1' : '0.6';
  };

  const up = (event: PointerEvent) => {
    const [pushed, beneath] = [row, under];
    row = under = null;
    if (!pushed || !beneath) return;
    swiped = true;
    const done = event.type === 'pointerup' && Math.abs(dx) > pushed.clientWidth * enough;
    const end = () => {
      beneath.remove();
      pushed.style.translate = pushed.style.background = '';
      if (done) act(pushed);
    };
    if (still.matches) return end();
    const to = done ? `${Math.sign(dx) * pushed.clientWidth}px` : '0px';
    pushed.animate({ translate: [`${dx}px`, to] }, { duration: 140, easing: 'ease-out' }).onfinish = end;
  };

  const click = (event: MouseEvent) => {
    if (!swiped) return;
    swiped = false;
    event.preventDefault();
    event.stopPropagation();
  };

  grid.style.touchAction = 'pan-y';
  grid.addEventListener('pointerdown', down);
  grid.addEventListener('pointermove', move);
  grid.addEventListener('pointerup', up);
  grid.addEventListener('pointercancel', up);
  grid.addEventListener('click', click, true);
  return () => {
    grid.removeEventListener('pointerdown', down);
    grid.removeEventListener('pointermove', move);
    grid.removeEventListener('pointerup', up);
    grid.removeEventListener('pointercancel', up);
    grid.removeEventListener('click', click, true);
  };
}

/** What comes to light under a row that is pushed aside. */
function ground(row: HTMLElement): HTMLElement {
  const under = document.createElement('div');
  under.textContent = 'Archive';
  under.setAttribute('aria-hidden', 'true');
  Object.assign(under.style, {
    position: 'absolute',
    insetInline: '0',
    top: '0',
    height: row.style.height,
    transform: row.style.transform,
    display: 'flex',
    alignItems: 'center',
    padding: '0 1.5rem',
    background: 'var(--accent)',
    color: 'var(--on-accent)',
    fontWeight: '600',
  });
  row.before(under);
  return under;
}

/** How far a finger goes across, in pixels, to turn to the next conversation; and how far up or down it may stray. */
const across = 90;
const stray = 45;

/**
 * Listens for a finger drawn across a conversation, also one within a message's frame, and tells `teller` by an event
 * "across" whose detail is the step: +1 for the older conversation, as when turning a page forward.
 */
export function tellAcross(target: Document | HTMLElement, teller: HTMLElement): () => void {
  let from: { x: number; y: number } | null = null;
  const start = (event: Event) => {
    const [touch, second] = (event as TouchEvent).touches;
    from = touch && !second && !scrollsSideways(event.target) ? { x: touch.screenX, y: touch.screenY } : null;
  };
  const end = (event: Event) => {
    const [touch] = (event as TouchEvent).changedTouches;
    if (!from || !touch) return;
    const dx = touch.screenX - from.x;
    const straight = Math.abs(touch.screenY - from.y) < stray;
    from = null;
    if (straight && Math.abs(dx) > across)
      teller.dispatchEvent(new CustomEvent('across', { bubbles: true, detail: dx < 0 ? 1 : -1 }));
  };
  target.addEventListener('touchstart', start, { passive: true });
  target.addEventListener('touchend', end, { passive: true });
  return () => {
    target.removeEventListener('touchstart', start);
    target.removeEventListener('touchend', end);
  };
}

/** Whether what the finger is on moves sideways itself: a wide table of a newsletter. */
function scrollsSideways(target: EventTarget | null): boolean {
  let element = target as Element | null;
  // Elements of a frame are of that frame's Element class: what counts is what they measure.
  while (element && 'scrollWidth' in element) {
    if (element.scrollWidth > element.clientWidth + 1 && element.clientWidth > 0) {
      const { overflowX } = getComputedStyle(element);
      if (overflowX === 'auto' || overflowX === 'scroll') return true;
    }
    element = element.parentElement;
  }
  return false;
}
