import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, row, signInStaff, test, visitor } from './demo';

const program = join(import.meta.dirname, '..', '..', '..', 'bin', 'webmail');

test('alice answers with an attachment, bob has it without reloading, the auditor sees why', async ({
  alice,
  bob,
  browser,
  demo,
}) => {
  test.slow();
  await row(alice, 'Lunch on Thursday?').click();
  await expect(alice.frameLocator('iframe').last().getByText('The dumplings there are worth the walk.')).toBeVisible();

  await alice.getByRole('button', { name: 'Reply', exact: true }).last().click();
  const editor = alice.getByRole('textbox', { name: /message/i });
  await editor.click();
  const words = `See you at noon, by the canal (${Date.now().toString()}).`;
  await alice.keyboard.type(words);
  await alice
    .getByLabel('Files to attach')
    .setInputFiles({ name: 'map.txt', mimeType: 'text/plain', buffer: Buffer.from('left, then right') });
  await expect(alice.getByRole('list', { name: 'Attachments' }).getByText('map.txt')).toBeVisible();
  await alice.getByRole('button', { name: 'Send', exact: true }).click();
  await expect(alice.getByRole('status').filter({ hasText: 'Sending' })).toBeVisible();

  // Bob's page is open in the inbox and is not touched.
  await expect(row(bob, words)).toBeVisible({ timeout: 20_000 });
  await row(bob, words).click();
  await expect(bob.frameLocator('iframe').last().getByText(words)).toBeVisible();
  const download = bob.waitForEvent('download');
  await bob.getByRole('link', { name: /Download map\.txt/ }).click();
  expect((await download).suggestedFilename()).toBe('map.txt');

  const { page: auditor, context } = await visitor(browser, demo);
  await signInStaff(auditor, 'audit@staff.example.com');
  await auditor.goto('/audit?kind=decision');
  await expect(
    auditor
      .getByRole('row')
      .filter({ hasText: /service.*drafts[. ]send/ })
      .first(),
  ).toBeVisible();
  await context.close();

  const verified = execFileSync(program, ['audit', 'verify', '--data', demo.data], { encoding: 'utf8' });
  expect(verified).toContain('events verified');
});

test('a send can be taken back', async ({ alice }) => {
  await alice.getByRole('button', { name: 'Compose' }).click();
  await alice.getByRole('combobox', { name: 'To' }).fill('bob@example.com');
  await alice.keyboard.press('Enter');
  await alice.getByRole('textbox', { name: 'Subject' }).fill('Not yet');
  await alice.getByRole('textbox', { name: /message/i }).click();
  await alice.keyboard.type('Wait');
  await alice.getByRole('button', { name: 'Send', exact: true }).click();
  await alice.getByRole('button', { name: 'Undo' }).click();
  await expect(alice.getByRole('textbox', { name: 'Subject' })).toHaveValue('Not yet');
});
