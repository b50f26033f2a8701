import { tick } from 'svelte';
import type { Preferences } from '../state/preferences.svelte';

/** How long a message's document may take to come in its light colours, in milliseconds. */
const patience = 3_000;

/** Prints the open conversation: in light colours, on the width of a sheet, with every message at its full height. */
export async function printConversation(preferences: Preferences): Promise<void> {
  const frames = [...document.querySelectorAll<HTMLIFrameElement>('[data-message] iframe')];
  const reloads = preferences.effectiveTheme !== 'light';
  const loaded = frames.map(
    (frame) => new Promise<void>((resolve) => frame.addEventListener('load', () => resolve(), { once: true })),
  );
  preferences.print(true);
  try {
    await tick();
    if (reloads) await Promise.race([Promise.all(loaded), new Promise((resolve) => setTimeout(resolve, patience))]);
    // Two frames: one in which the messages take the sheet's width, one in which their heights are measured.
    for (let i = 0; i < 2; i++) await new Promise((resolve) => requestAnimationFrame(resolve));
    print();
  } finally {
    preferences.print(false);
  }
}
