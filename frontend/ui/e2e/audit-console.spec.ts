import { expect, signInStaff, test, visitor } from './demo';

/** What an auditor comes for: follow the log, understand one decision, take its proof along, sign nothing unseen. */
test('an auditor follows the log and understands one decision', async ({ alice, browser, demo }) => {
  const { page, context } = await visitor(browser, demo);
  await signInStaff(page, 'audit@staff.example.com');
  await page.goto('/audit?kind=decision&actorKind=owner');
  await expect(page.locator('tbody tr').first()).toBeVisible();
  await expect(page.getByRole('heading', { name: /allowed, .* refused/ })).toBeVisible();

  await page.getByRole('button', { name: 'Follow live' }).click();
  await expect(page.getByRole('button', { name: 'Following live' })).toBeVisible();
  const newest = page.locator('tbody tr').first().locator('small').first();
  const before = await newest.textContent();
  await alice.reload();
  await expect(alice.getByRole('grid')).toBeVisible();
  await expect(newest).not.toHaveText(before ?? '');
  await page.getByRole('button', { name: 'Following live' }).click();

  await page.locator('tbody tr').first().getByRole('button').click();
  const event = page.getByRole('complementary');
  await expect(event.getByText('Rules it rests on')).toBeVisible();
  await expect(event.getByText('webmail.floor.serves_the_owner')).toBeVisible();
  await expect(event.getByText('LU-USE-1', { exact: true })).toBeVisible();
  const proof = page.waitForEvent('download');
  await event.getByRole('link', { name: 'Download the proof' }).click();
  expect((await proof).suggestedFilename()).toMatch(/^decision-\d+\.proof$/);
  await event.getByRole('button', { name: 'Read it' }).click();
  await expect(page.getByRole('dialog', { name: 'Policy in force' }).locator('pre')).toContainText('webmail');
  await page.keyboard.press('Escape');
  await event.getByRole('button', { name: 'Everything by this actor' }).click();
  await expect(page).toHaveURL(/\/audit\?actor=/);

  await page.getByRole('link', { name: 'Weekly review' }).click();
  await expect(page.getByText('This week is not over.')).toBeVisible();
  await page
    .getByRole('button', { name: /^Sign off/ })
    .first()
    .click();
  await page.getByRole('dialog').getByRole('button', { name: 'Sign off' }).click();
  await expect(page.getByText(/^Signed off/)).toBeVisible();
  await context.close();
});

test('a search is kept, and an export says what it is', async ({ browser, demo }) => {
  const { page, context } = await visitor(browser, demo);
  await signInStaff(page, 'audit@staff.example.com');
  await page.goto('/audit?kind=lifecycle');
  await page.getByRole('button', { name: 'Saved searches' }).click();
  await page.getByRole('textbox').last().fill('What happened to the service');
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await expect(page.getByRole('button', { name: 'What happened to the service', exact: true })).toBeVisible();
  await page.keyboard.press('Escape');
  await page.getByRole('button', { name: /^Clear/ }).click();
  await expect(page).toHaveURL(/\/audit$/);
  await page.getByRole('button', { name: 'Saved searches' }).click();
  await page.getByRole('button', { name: 'What happened to the service', exact: true }).click();
  await expect(page).toHaveURL(/kind=lifecycle/);

  await page.getByRole('button', { name: 'Export' }).click();
  const file = page.waitForEvent('download');
  await page.getByRole('link', { name: 'Download' }).click();
  expect((await file).suggestedFilename()).toMatch(/^decisions-\d+\.zip$/);
  await context.close();
});
