import { expect, row, signIn, test } from './demo';

test('the palette finds labels, actions and settings', async ({ alice, accessibility }) => {
  const field = alice.getByRole('combobox', { name: 'Find anything' });
  await alice.keyboard.press('Control+k');
  await expect(field).toBeFocused();
  expect(await accessibility(), 'palette').toEqual([]);
  await field.fill('garden');
  await alice.keyboard.press('Enter');
  await expect(alice.getByRole('heading', { name: 'Projects/Garden' })).toBeVisible();

  // Also from a text field, where letters are letters.
  await alice.getByLabel('Search mail').focus();
  await alice.keyboard.press('Control+k');
  await field.fill('dark');
  await alice.keyboard.press('Enter');
  await expect(alice.locator('html')).toHaveAttribute('data-theme', 'dark');

  await alice.keyboard.press('Control+k');
  await field.fill('parcel');
  await alice.getByRole('option', { name: /Search mail for/ }).click();
  await expect(row(alice, 'Your parcel is on its way')).toBeVisible();
  expect(alice.url()).not.toContain('parcel');
});

test('labels by keyboard, and undone', async ({ alice, accessibility }) => {
  const parcel = row(alice, 'Your parcel is on its way');
  await parcel.getByRole('checkbox').click();
  await alice.keyboard.press('l');
  await alice.getByRole('combobox', { name: 'Filter labels' }).fill('atl');
  await alice.keyboard.press('Enter');
  expect(await accessibility(), 'label picker').toEqual([]);
  await alice.getByRole('button', { name: 'Apply' }).click();
  await expect(parcel.getByText('Atlas')).toBeVisible();
  await expect(alice.getByRole('status').filter({ hasText: 'Projects/Atlas added' })).toBeVisible();
  await alice.keyboard.press('z');
  await expect(parcel.getByText('Atlas')).toHaveCount(0);

  await alice.keyboard.press('v');
  await alice.getByRole('combobox', { name: 'Filter labels' }).fill('travel');
  await alice.keyboard.press('Enter');
  await expect(parcel).toHaveCount(0);
  await alice.keyboard.press('z');
  await expect(parcel).toBeVisible();
});

test('from one conversation to the next, and back to the same place', async ({ alice }) => {
  const rows = alice.getByRole('row');
  const names = [await rows.nth(1).getAttribute('aria-label'), await rows.nth(2).getAttribute('aria-label')];
  await rows.nth(1).click();
  const heading = alice.locator('article h1');
  await expect(heading).toBeVisible();
  const first = await heading.textContent();
  await alice.keyboard.press('j');
  await expect(heading).not.toHaveText(first ?? '');
  await alice.keyboard.press('k');
  await expect(heading).toHaveText(first ?? '');
  await alice.keyboard.press('j');
  await alice.keyboard.press('u');
  const grid = alice.getByRole('grid');
  await expect(grid).toBeVisible();
  const active = await grid.getAttribute('aria-activedescendant');
  // Having been read, it is no longer called unread.
  const called = await alice.locator(`[id="${active ?? ''}"]`).getAttribute('aria-label');
  expect(names[1]).toContain(called?.replace(/^Unread, /, ''));
});

test('attachments are looked at in the page', { tag: '@desktop' }, async ({ alice, accessibility }) => {
  const openAll = async (subject: string) => {
    await row(alice, subject).click();
    await alice.getByRole('button', { name: 'More', exact: true }).click();
    await alice.getByRole('menuitem', { name: 'Open all messages' }).click();
  };
  await openAll('Launch plan: comments welcome');
  const pdf = alice.waitForResponse((response) => response.url().includes('/preview/'));
  await alice.getByRole('button', { name: /^Show launch-plan\.pdf/ }).click();
  const answer = await pdf;
  expect(answer.headers()['content-type']).toBe('application/pdf');
  // Asked for once more: of a PDF, Chromium tells its viewer's headers and not the server's.
  expect((await alice.request.get(answer.url())).headers()['content-security-policy']).toContain('sandbox');
  await expect(alice.getByRole('dialog', { name: 'Attachment launch-plan.pdf' })).toBeVisible();
  expect(await accessibility(), 'attachment').toEqual([]);
  await alice.keyboard.press('Escape');
  await alice.keyboard.press('u');

  await openAll('Drop test, second round');
  await alice.getByRole('button', { name: /^Show drop-test\.csv/ }).click();
  await expect(alice.frameLocator('iframe[title="drop-test.csv"]').getByText(/,/).first()).toBeVisible();
});

test('a message tells who signed it and shows its headers', async ({ alice, accessibility }) => {
  await row(alice, 'Drop test, second round').click();
  await alice.getByRole('button', { name: /^to / }).last().click();
  await expect(alice.getByText('Confirmed by Gmail').last()).toBeVisible();
  await alice.getByRole('button', { name: 'More for this message' }).last().click();
  await alice.getByRole('menuitem', { name: 'Show headers' }).click();
  await expect(alice.getByRole('region', { name: 'Headers' })).toContainText('Authentication-Results: mx.google.com');
  expect(await accessibility(), 'headers').toEqual([]);
});

test('settings of the page hold, and keys can be changed', { tag: '@desktop' }, async ({ alice, accessibility }) => {
  await alice.getByRole('button', { name: 'Settings', exact: true }).click();
  await expect(alice.getByRole('heading', { name: 'General' })).toBeVisible();
  await expect(alice.getByText('waits 2 seconds')).toBeVisible();
  await alice.getByRole('radio', { name: 'Compact' }).check();
  await alice.getByRole('radio', { name: 'At the bottom' }).check();
  await alice.getByRole('button', { name: /^Change the key for Archive, now/ }).click();
  await alice.keyboard.press('s');
  await expect(alice.getByText('The same key does “Star”.')).toBeVisible();
  expect(await accessibility(), 'general').toEqual([]);
  await alice.getByRole('button', { name: /^Change the key for Archive, now/ }).click();
  await alice.keyboard.press('y');
  await expect(alice.getByText('The same key does')).toHaveCount(0);

  await alice.getByRole('link', { name: 'Back to mail' }).click();
  const parcel = row(alice, 'Your parcel is on its way');
  await parcel.click();
  await expect(alice.locator('article h1')).toHaveText(/parcel/);
  await expect(parcel, 'the list stays above').toBeVisible();
  await alice.keyboard.press('y');
  await expect(parcel).toHaveCount(0);
  await alice.keyboard.press('z');
  await expect(parcel).toBeVisible();
});

test('the page can be installed', async ({ alice }) => {
  const answer = await alice.request.get('/manifest.webmanifest');
  expect(answer.headers()['content-type']).toBe('application/manifest+json');
  const { icons } = (await answer.json()) as { icons: { src: string; type: string }[] };
  for (const { src, type } of icons)
    expect((await alice.request.get(src)).headers()['content-type'], src).toContain(type);
});

test('fingers archive and turn pages', async ({ browser, demo }) => {
  const context = await browser.newContext({
    baseURL: demo.url,
    viewport: { width: 390, height: 844 },
    hasTouch: true,
    isMobile: true,
  });
  const page = await context.newPage();
  await signIn(page, 'alice@example.com');
  const finger = await context.newCDPSession(page);
  const touch = (type: 'touchStart' | 'touchMove' | 'touchEnd', x: number, y: number) =>
    finger.send('Input.dispatchTouchEvent', { type, touchPoints: type === 'touchEnd' ? [] : [{ x, y }] });
  const draw = async (from: number, to: number, y: number) => {
    await touch('touchStart', from, y);
    for (let step = 1; step <= 5; step++) await touch('touchMove', from + ((to - from) * step) / 5, y);
    await touch('touchEnd', to, y);
  };

  const parcel = row(page, 'Your parcel is on its way');
  await parcel.scrollIntoViewIfNeeded();
  const box = await parcel.boundingBox();
  await draw(330, 60, box!.y + box!.height / 2);
  await expect(page.getByText('Conversation archived')).toBeVisible();
  await expect(parcel).toHaveCount(0);
  await page.getByRole('button', { name: 'Undo' }).click();
  await expect(parcel).toBeVisible();

  await page.getByRole('row').nth(1).click();
  const heading = page.locator('article h1');
  await expect(page.locator('iframe').first()).toBeVisible();
  const first = await heading.textContent();
  await draw(330, 120, 200);
  await expect(heading).not.toHaveText(first ?? '');
  await context.close();
});
