/** The addresses this page answers to. Nothing of a message and no search text is ever part of one. */
export type Route =
  | { page: 'home' }
  | { page: 'label'; account: string; label: string }
  | { page: 'search'; account: string }
  | { page: 'thread'; account: string; thread: string }
  | { page: 'audit' }
  | { page: 'assessment' }
  | { page: 'settings'; section?: string }
  | { page: 'staff'; tab?: string; item?: string }
  | { page: 'unknown' };

/** What a section, a tab and a request are called in an address. */
const word = /^[\w-]{1,64}$/;

export function parseRoute(path: string): Route {
  const parts = path.split('/').filter(Boolean).map(decode);
  if (parts.length === 0) return { page: 'home' };
  if (parts[0] === 'audit' && parts.length === 1) return { page: 'audit' };
  if (parts[0] === 'assessment' && parts.length === 1) return { page: 'assessment' };
  const [root, account, kind, id] = parts;
  if (root === 'settings' && parts.length <= 2 && parts.every((part) => word.test(part)))
    return { page: 'settings', ...(parts[1] && { section: parts[1] }) };
  if (root === 'staff' && parts.length <= 3 && parts.every((part) => word.test(part)))
    return { page: 'staff', ...(parts[1] && { tab: parts[1] }), ...(parts[2] && { item: parts[2] }) };
  if (root !== 'mail' || !account) return { page: 'unknown' };
  if (kind === undefined) return { page: 'label', account, label: 'INBOX' };
  if (kind === 'label' && id && parts.length === 4) return { page: 'label', account, label: id };
  if (kind === 'search' && parts.length === 3) return { page: 'search', account };
  if (kind === 'thread' && id && /^[0-9a-f]{1,20}$/.test(id) && parts.length === 4)
    return { page: 'thread', account, thread: id };
  return { page: 'unknown' };
}

export function routePath(route: Route): string {
  switch (route.page) {
    case 'label':
      return `/mail/${encodeURIComponent(route.account)}/label/${encodeURIComponent(route.label)}`;
    case 'search':
      return `/mail/${encodeURIComponent(route.account)}/search`;
    case 'thread':
      return `/mail/${encodeURIComponent(route.account)}/thread/${route.thread}`;
    case 'audit':
      return '/audit';
    case 'assessment':
      return '/assessment';
    case 'settings':
      return ['/settings', route.section].filter(Boolean).join('/');
    case 'staff':
      return ['/staff', route.tab, route.item].filter(Boolean).join('/');
    default:
      return '/';
  }
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
