import type { Route } from '../state/routes';
import type { Trail } from '../state/router.svelte';
import type { Source } from './changes';

/** The list that belongs to a page: of a conversation, the one it was opened from. */
export function sourceOf(route: Route, trail: Trail): Source {
  if (route.page === 'label') return { kind: 'label', label: route.label };
  if (trail.query !== undefined) return { kind: 'search', query: trail.query };
  if (route.page === 'search') return { kind: 'search', query: '' };
  return { kind: 'label', label: trail.label ?? 'INBOX' };
}

/** What a history entry needs so that sourceOf finds the list again. */
export const trailOf = (source: Source): Trail =>
  source.kind === 'search' ? { query: source.query } : { label: source.label };
