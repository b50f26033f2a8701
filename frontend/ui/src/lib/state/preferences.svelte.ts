/** The choices that this browser keeps, each with its values; the first is what holds when nothing was chosen. */
const choices = {
  theme: ['system', 'light', 'dark'],
  pane: ['none', 'right', 'bottom'],
  density: ['comfortable', 'compact'],
} as const;

export type Theme = (typeof choices.theme)[number];
export type Pane = (typeof choices.pane)[number];
export type Density = (typeof choices.density)[number];

const yearInSeconds = 31_536_000;

/** Choices that belong to this browser rather than to the account. */
export class Preferences {
  theme = $state<Theme>(read('theme'));
  pane = $state<Pane>(read('pane'));
  density = $state<Density>(read('density'));
  #systemDark = $state(false);
  /** paper is light, and so is what is printed on it */
  #printing = $state(false);
  readonly #shown = $derived(this.#printing ? 'light' : this.theme);

  /** what "system" comes to at present */
  readonly effectiveTheme = $derived(this.#shown === 'system' ? (this.#systemDark ? 'dark' : 'light') : this.#shown);

  constructor() {
    const dark = matchMedia('(prefers-color-scheme: dark)');
    this.#systemDark = dark.matches;
    dark.addEventListener('change', () => (this.#systemDark = dark.matches));
    this.#paint();
  }

  setTheme(theme: Theme): void {
    this.theme = theme;
    write('theme', theme);
    // The server reads the cookie to write data-theme itself, so that a chosen theme does not flash at load.
    const age = theme === 'system' ? 0 : yearInSeconds;
    document.cookie = `theme=${theme}; Path=/; Max-Age=${age}; SameSite=Lax`;
    this.#paint();
  }

  setPane(pane: Pane): void {
    this.pane = pane;
    write('pane', pane);
  }

  setDensity(density: Density): void {
    this.density = density;
    write('density', density);
  }

  print(printing: boolean): void {
    this.#printing = printing;
    document.documentElement.classList.toggle('printing', printing);
    this.#paint();
  }

  #paint(): void {
    if (this.#shown === 'system') delete document.documentElement.dataset['theme'];
    else document.documentElement.dataset['theme'] = this.#shown;
  }
}

function read<K extends keyof typeof choices>(key: K): (typeof choices)[K][number] {
  const known: readonly string[] = choices[key];
  try {
    const kept = localStorage.getItem(key);
    if (kept !== null && known.includes(kept)) return kept as (typeof choices)[K][number];
  } catch {
    // Storage is switched off: the choice lasts until the page is closed.
  }
  return choices[key][0];
}

function write(key: string, value: string): void {
  try {
    localStorage.setItem(key, value);
  } catch {
    // see read
  }
}
