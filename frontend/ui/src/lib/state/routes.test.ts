import { describe, expect, it } from 'vitest';
import { parseRoute, routePath, type Route } from './routes';

describe('addresses', () => {
  it.each<[string, Route]>([
    ['/', { page: 'home' }],
    ['/mail/acc1', { page: 'label', account: 'acc1', label: 'INBOX' }],
    ['/mail/acc1/label/Label_7', { page: 'label', account: 'acc1', label: 'Label_7' }],
    ['/mail/acc1/search', { page: 'search', account: 'acc1' }],
    ['/mail/acc1/thread/19a0bc', { page: 'thread', account: 'acc1', thread: '19a0bc' }],
    ['/audit', { page: 'audit' }],
    ['/assessment', { page: 'assessment' }],
    ['/assessment/x', { page: 'unknown' }],
    ['/settings', { page: 'settings' }],
    ['/settings/access', { page: 'settings', section: 'access' }],
    ['/staff', { page: 'staff' }],
    ['/staff/requests', { page: 'staff', tab: 'requests' }],
    ['/staff/requests/r-1', { page: 'staff', tab: 'requests', item: 'r-1' }],
    ['/staff/body/r-1/19a0', { page: 'unknown' }],
    ['/settings/a/b', { page: 'unknown' }],
    ['/settings/%2e%2e', { page: 'unknown' }],
    ['/mail/acc1/thread/../../x', { page: 'unknown' }],
    ['/mail/acc1/thread/XYZ', { page: 'unknown' }],
    ['/mail', { page: 'unknown' }],
    ['/privacy', { page: 'unknown' }],
    ['/mail/%zz', { page: 'label', account: '%zz', label: 'INBOX' }],
  ])('%s', (path, want) => {
    expect(parseRoute(path)).toEqual(want);
  });

  it('are read back as they were written, whatever a label is called', () => {
    const routes: Route[] = [
      { page: 'label', account: 'a/b', label: 'x y/ü?#' },
      { page: 'thread', account: 'a', thread: 'ff' },
      { page: 'search', account: 'a' },
      { page: 'audit' },
      { page: 'assessment' },
      { page: 'settings', section: 'access' },
      { page: 'staff' },
      { page: 'staff', tab: 'requests', item: 'r_1' },
      { page: 'home' },
    ];
    for (const route of routes) expect(parseRoute(routePath(route))).toEqual(route);
  });
});
