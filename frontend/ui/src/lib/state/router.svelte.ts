import { parseRoute, routePath, type Route } from './routes';

/** What travels with a history entry and must not be in its address. */
export interface Trail {
  /** the search text of a search page, and of a conversation that was opened from one */
  query?: string;
  /** the label whose list a conversation was opened from */
  label?: string;
  /** the mailbox whose settings are shown, and to which the way back leads */
  account?: string;
}

/** The current page. One instance for the window. */
export class Router {
  route = $state.raw<Route>({ page: 'home' });
  trail = $state.raw<Trail>({});

  constructor() {
    this.#read();
    addEventListener('popstate', () => this.#read());
  }

  go(route: Route, trail: Trail = {}, { replace = false } = {}): void {
    const path = routePath(route);
    if (replace) history.replaceState(trail, '', path);
    else history.pushState(trail, '', path);
    this.route = route;
    this.trail = trail;
  }

  /** Follows a link within the page without loading it anew; says whether it did. */
  follow(event: MouseEvent): boolean {
    if (
      event.defaultPrevented ||
      event.button !== 0 ||
      event.metaKey ||
      event.ctrlKey ||
      event.shiftKey ||
      event.altKey
    )
      return false;
    const link = (event.target as Element).closest('a');
    if (!link || link.target || link.origin !== location.origin || link.hasAttribute('download')) return false;
    const route = parseRoute(link.pathname);
    if (route.page === 'unknown' || route.page === 'home') return false;
    event.preventDefault();
    this.go(route);
    return true;
  }

  #read(): void {
    this.route = parseRoute(location.pathname);
    this.trail = (history.state as Trail | null) ?? {};
  }
}
