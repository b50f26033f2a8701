export type Theme = 'system' | 'light' | 'dark';
export type Pane = 'none' | 'right';

const yearInSeconds = 31_536_000;

/** Choices that belong to this browser rather than to the account. */
export class Preferences {
  theme = $state<Theme>('system');
  pane = $state<Pane>('none');
  #systemDark = $state(false);

  /** what "system" comes to at present */
  readonly effectiveTheme = $derived(this.theme === 'system' ? (this.#systemDark ? 'dark' : 'light') : this.theme);

  constructor() {
    const theme = read('theme');
    if (theme === 'light' || theme === 'dark') this.theme = theme;
    if (read('pane') === 'right') this.pane = 'right';
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

  #paint(): void {
    if (this.theme === 'system') delete document.documentElement.dataset['theme'];
    else document.documentElement.dataset['theme'] = this.theme;
  }
}

function read(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null; // storage is switched off: the choice lasts until the page is closed
  }
}

function write(key: string, value: string): void {
  try {
    localStorage.setItem(key, value);
  } catch {
    // see read
  }
}
