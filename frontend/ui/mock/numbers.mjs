/** Invented numbers for the staff page: `months` releases, newest first, with gaps as real ones have them. */
export function numbers(mode) {
  const nextAt = '2026-12-01T01:00:00Z';
  if (mode === 'operations-new') return { months: [], minOwners: 50, nextAt };
  const names = ['2026-10', '2026-09', '2026-08', '2026-07', '2026-06', '2026-05', '2026-04', '2026-03', '2026-02'];
  if (mode === 'operations-few')
    return { months: names.slice(0, 2).map((month) => ({ month })), minOwners: 50, nextAt };
  return {
    months: names.map((month, back) => ({ month, ...(back < 8 && { release: release(month, back) }) })),
    minOwners: 50,
    nextAt,
  };
}

/** The same number for the same month, as the server's stored answers are. */
const wobble = (n, back, salt) => Math.round(n * (1 - back * 0.055) + ((back * 37 + salt * 53) % 31) - 15);

function release(month, back) {
  const cells = (all) => Object.entries(all).map(([id, n], salt) => ({ id, owners: wobble(n, back, salt) }));
  const shown = (list) => list.filter(({ owners }) => owners > 142);
  const days = shown(cells({ '1-4': 262, '5-14': 341, '15-31': 588 }));
  return {
    id: `release-${month}`,
    catalogue: 1,
    minOwners: 50,
    epsilon: 1,
    delta: 1e-6,
    margin: 18,
    questions: [
      {
        id: 'days',
        cells: days,
        ...(days.length === 3 && { total: days.reduce((sum, { owners }) => sum + owners, 0) }),
      },
      { id: 'features', cells: shown(cells({ search: 812, organise: 934, write: 1043, attachments: 455 })) },
      { id: 'trouble', cells: shown(cells({ refused: 20, permission: 61, consent: 151, failed: 233 })) },
    ],
  };
}

export function serviceFigures() {
  const routes = [
    ['GET', '/api/accounts/{account}/threads', 18_402, 12, 3, 64, 256],
    ['GET', '', 9_120, 44, 0, 1, 4],
    ['GET', '/api/accounts/{account}/threads/{thread}', 8_733, 9, 1, 64, 128],
    ['GET', '/body/{account}/{message}', 8_590, 2, 0, 32, 64],
    ['GET', '/api/session', 6_204, 310, 0, 1, 2],
    ['POST', '/api/accounts/{account}/threads/modify', 4_310, 0, 2, 128, 256],
    ['GET', '/api/accounts/{account}/labels', 3_907, 0, 0, 64, 128],
    ['GET', '/api/accounts/{account}/events', 1_422, 0, 0, 0, 0],
    ['POST', '/api/accounts/{account}/search', 1_184, 5, 0, 128, 512],
    ['PUT', '/api/accounts/{account}/drafts/{draft}', 980, 1, 0, 128, 512],
    ['POST', '/api/accounts/{account}/send', 412, 0, 0, 4, 8],
    ['GET', '/api/staff/numbers', 12, 1, 0, 8, 16],
  ];
  return {
    since: '2026-11-20T06:12:44Z',
    routes: routes.map(([method, route, requests, refused, failed, medianMs, p95Ms]) => ({
      method,
      route,
      requests,
      refused,
      failed,
      medianMs,
      p95Ms,
    })),
  };
}
