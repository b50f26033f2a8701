import { expect, row, test } from './demo';

test('every screen is free of accessibility faults', async ({ alice, accessibility }) => {
  expect(await accessibility(), 'inbox').toEqual([]);
  await row(alice, 'the handle samples are here').click();
  await expect(alice.getByRole('heading', { name: /handle samples/ })).toBeVisible();
  expect(await accessibility(), 'conversation').toEqual([]);
});

test('archive, undo, star and trash', async ({ alice }) => {
  const parcel = row(alice, 'Your parcel is on its way');
  await parcel.click();
  await alice.getByRole('button', { name: 'Archive' }).click();
  await expect(parcel).toHaveCount(0);
  await alice.getByRole('button', { name: 'Undo' }).click();
  await expect(parcel).toBeVisible();
});

test('search finds mail and its words stay out of the address', async ({ alice }) => {
  await alice
    .getByRole('combobox', { name: 'Search mail' })
    .or(alice.getByRole('searchbox', { name: 'Search mail' }))
    .or(alice.getByLabel('Search mail'))
    .first()
    .fill('subject:parcel');
  await alice.keyboard.press('Enter');
  await expect(row(alice, 'Your parcel is on its way')).toBeVisible();
  expect(alice.url()).not.toContain('parcel');
});

test('mail loads nothing from elsewhere and runs no script', async ({ alice }) => {
  const foreign: string[] = [];
  alice.on('request', (request) => {
    const { hostname } = new URL(request.url());
    if (hostname !== '127.0.0.1' && !request.url().startsWith('data:')) foreign.push(hostname);
  });
  await row(alice, 'Last days: a third off').click();
  await expect(alice.getByText(/images are not loaded/i).first()).toBeVisible();
  const sandbox = await alice.locator('iframe').last().getAttribute('sandbox');
  expect(sandbox).toBe('allow-same-origin allow-popups allow-popups-to-escape-sandbox');
  expect(foreign).toEqual([]);
});

test('signing out ends the session and empties the browser', async ({ alice }) => {
  await alice.getByRole('button', { name: /account/i }).click();
  await alice
    .getByRole('menuitem', { name: 'Sign out', exact: true })
    .or(alice.getByRole('button', { name: 'Sign out', exact: true }))
    .first()
    .click();
  await expect(alice.getByRole('button', { name: 'Sign in with Google' })).toBeVisible();
  expect(
    await alice.evaluate(
      async () => ((await fetch('/api/session').then((r) => r.json())) as { signedIn: boolean }).signedIn,
    ),
  ).toBe(false);
});
