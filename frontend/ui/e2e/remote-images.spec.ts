import { expect, row, test } from './demo';

const letter = 'Last days: a third off';

test('images load on the word of the owner, through the server, until taken back', async ({ alice, accessibility }) => {
  const foreign: string[] = [];
  alice.on('request', (request) => {
    const { hostname } = new URL(request.url());
    if (hostname !== '127.0.0.1' && !request.url().startsWith('data:')) foreign.push(hostname);
  });
  await row(alice, letter).click();
  const bar = alice.getByRole('group', { name: 'Images from other hosts' });
  await expect(bar).toContainText('1 tracker was kept out');
  const picture = alice.frameLocator('iframe').last().locator('img').first();
  const width = () => picture.evaluate((image: HTMLImageElement) => image.naturalWidth);
  expect(await width()).toBe(0);

  await bar.getByRole('button', { name: 'Show images' }).click();
  await expect(bar).toContainText('The images of this message are shown');
  await expect.poll(width).toBeGreaterThan(1);
  await bar.getByRole('button', { name: 'Always from this sender' }).click();
  await expect(bar).toContainText('are always shown');
  expect(await accessibility()).toEqual([]);

  await alice.goto('/settings/permissions');
  const entry = alice.getByRole('listitem').filter({ hasText: 'hello@shop.example.net' });
  expect(await accessibility()).toEqual([]);
  await entry.getByRole('button').click();
  await expect(entry).toBeHidden();
  await alice.getByRole('link', { name: 'Back to mail' }).click();
  await row(alice, letter).click();
  await expect(bar).toContainText('Images are not loaded');
  expect(await width()).toBe(0);
  expect(foreign).toEqual([]);
});

test('a link under another name shows where it leads first', async ({ alice, context }) => {
  await alice.goto(alice.url().replace(/(\/mail\/[^/]+).*/, '$1/label/SPAM'));
  await row(alice, 'will be CLOSED today').click();
  const link = alice.frameLocator('iframe').last().getByRole('link').first();
  const [page] = await Promise.all([context.waitForEvent('page'), link.click()]);
  await expect(page.getByRole('heading', { name: 'Check where this link leads' })).toBeVisible();
  await expect(page.getByText('but the link leads to example.net')).toBeVisible();
  await page.getByRole('link', { name: 'Back to my mail' }).click();
  await expect(page.getByRole('grid')).toBeVisible();
});

test('one request unsubscribes, after saying whom it tells', async ({ alice }) => {
  await row(alice, letter).click();
  await alice.getByRole('button', { name: 'Unsubscribe' }).click();
  const dialog = alice.getByRole('dialog');
  await expect(dialog).toContainText('lists.example.org');
  await dialog.getByRole('button', { name: 'Unsubscribe' }).click();
  await expect(alice.getByText('Unsubscribed. lists.example.org')).toBeVisible();
});
