/** Moves the focus to the next or previous message of the open conversation; past an end it stays. */
export function stepMessage(step: 1 | -1): void {
  const messages = [...document.querySelectorAll<HTMLElement>('[data-message]')];
  const at = messages.findIndex((message) => message.contains(document.activeElement));
  const next = messages[at < 0 ? (step > 0 ? 0 : messages.length - 1) : at + step];
  // On a folded message the focus is on what opens it, so that Enter does.
  (next?.querySelector<HTMLElement>('.fold:not(:disabled)') ?? next)?.focus({ preventScroll: true });
  next?.scrollIntoView({ block: 'nearest' });
}
