import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from '@playwright/test';
import { expect, row, signInStaff, test, visitor } from '../e2e/demo';
import { acknowledge, proveWithGoogle } from '../e2e/human-access';
import { Walk } from './record';

const subject = 'Lunch on Thursday?';

test.beforeAll(({ demo }) => {
  // The disclosures name the address, and so do their hashes.
  const directory = process.env['WEBMAIL_EVIDENCE'];
  if (directory) writeFileSync(join(directory, 'url.txt'), demo.url);
});

const shown = 'the disclosures as an owner sees them';

test(shown, async ({ page }) => {
  const walk = new Walk(
    'disclosures',
    'Screens of the disclosures',
    shown,
    'What an owner is shown before Google is asked for anything, and the public pages. The hashes below the pictures are of the pictures; those of the texts are in the table of rendered disclosures.',
  );
  await page.goto('/');
  await walk.picture(page, 'The first page');
  await page.getByRole('button', { name: 'Sign in with Google' }).click();
  const agree = page.getByRole('button', { name: /^Agree/ });
  const next = page
    .getByRole('button', { name: /carol@example\.org/ })
    .or(page.getByRole('button', { name: 'Continue', exact: true }));
  for (let step = 0; step < 4; step++) {
    await agree.or(next).first().waitFor();
    if (await agree.isVisible()) break;
    await walk.picture(page, 'Google (emulated) asks who signs in');
    await next.first().click();
    await page.waitForLoadState();
  }
  await walk.picture(page, 'The disclosure, before Google is asked for the mailbox', { fullPage: true });
  await agree.click();
  await page.getByRole('button', { name: 'Continue', exact: true }).waitFor();
  await walk.picture(page, 'Only then Google (emulated) asks for the permission');
  for (const [path, caption] of [
    ['/privacy', 'The privacy page, which shows the tables of the policy'],
    ['/limited-use', 'The public statement of Limited Use'],
    ['/help/data', 'Help on managing and deleting data'],
  ] as const) {
    await page.goto(path);
    await walk.picture(page, caption, { fullPage: true });
  }
  walk.keep();
});

/** The owner offers the message, support takes it up, and a second member of staff lets the owner be asked. */
async function asked(alice: Page, sam: Page, pat: Page, number: string): Promise<void> {
  await alice.goto('/');
  await row(alice, subject).click();
  await alice.getByRole('button', { name: 'More for this message' }).last().click();
  await alice.getByRole('menuitem', { name: /Let support see this message/ }).click();
  await alice.getByLabel('What is wrong with it?').fill('It opens empty on my phone.');
  await alice.getByRole('button', { name: 'Offer it to support' }).click();
  await sam.goto('/staff/requests');
  await sam.getByRole('link', { name: /Offer/ }).first().click();
  await sam.getByRole('button', { name: /Take it up/ }).click();
  await sam.getByLabel('Case').fill(number);
  await sam.getByLabel('Why is it necessary to see it?').fill('We cannot repeat it without the message.');
  await sam.getByRole('button', { name: 'Take it up', exact: true }).click();
  await expect(sam.getByText('Waits for a second member of staff')).toBeVisible();
  await pat.goto('/staff/requests');
  await pat.getByRole('link', { name: new RegExp(`Case ${number}`) }).click();
  await pat.getByRole('button', { name: 'Approve: ask the owner' }).click();
  await expect(pat.getByText('Waits for the owner')).toBeVisible();
}

const access = 'human access: refused, granted, seen, taken back';

test(access, async ({ alice, browser, demo }) => {
  const walk = new Walk(
    'access',
    'Human access: asked, refused, granted, seen, taken back',
    access,
    'Three people in three browsers at the demo. That a question expires after twelve hours cannot be waited for here: policy/agreement: TestTwelveHours shows it with a clock of its own.',
  );
  const { page: sam, context: samsBrowser } = await visitor(browser, demo);
  const { page: pat, context: patsBrowser } = await visitor(browser, demo);
  await signInStaff(sam, 'support@staff.example.com');
  await acknowledge(sam);
  await signInStaff(pat, 'approve@staff.example.com');
  await acknowledge(pat);

  await asked(alice, sam, pat, '4711');
  await walk.picture(sam, 'Support, while the owner has not answered: there is nothing to look at');
  await expect(sam.getByRole('button', { name: 'Look at it' })).toHaveCount(0);
  await walk.picture(pat, 'The second member of staff, who let the owner be asked and cannot look either');
  await alice.goto('/settings/access');
  const question = alice.getByRole('article', { name: /asks to see one message/ });
  await question.waitFor();
  await walk.picture(alice, 'The owner is asked: who, why, which message, for how long', { fullPage: true });
  await question.getByRole('button', { name: /Say no/ }).click();
  await alice.getByRole('button', { name: 'Say no', exact: true }).click();
  await expect(question).toHaveCount(0);
  await expect(sam.getByText('The owner said no').first()).toBeVisible({ timeout: 20_000 });
  await expect(sam.getByRole('button', { name: 'Look at it' })).toHaveCount(0);
  await walk.picture(sam, 'Denied: the owner said no, and support sees that alone');

  await asked(alice, sam, pat, '4712');
  await alice.goto('/settings/access');
  await question.getByRole('button', { name: /Read and agree/ }).click();
  await walk.picture(alice, 'The text that the owner agrees to');
  await alice.getByRole('button', { name: 'Agree with Google' }).click();
  await alice.waitForLoadState();
  await walk.picture(alice, 'The owner signs in anew at Google (emulated): that sign-in is the proof');
  await proveWithGoogle(alice, 'alice@example.com');
  await expect(alice.getByRole('article', { name: /may see one message/ })).toBeVisible();
  await sam.getByRole('button', { name: 'Look at it' }).click({ timeout: 20_000 });
  await expect(sam.frameLocator('iframe').getByText('The dumplings there are worth the walk.')).toBeVisible();
  await walk.picture(sam, 'Granted: support sees this one message, with its watermark');
  await alice.reload();
  await expect(alice.getByRole('list', { name: 'Who saw what, newest first' })).toContainText('Sam Support');
  await walk.picture(alice, 'The owner sees each look', { fullPage: true });
  await alice.getByRole('button', { name: /Take it back now/ }).click();
  await alice.getByRole('button', { name: 'Take it back', exact: true }).click();
  await expect(sam.getByText('Closed: taken back by the owner.')).toBeVisible({ timeout: 20_000 });
  await expect(sam.locator('iframe')).toHaveCount(0);
  await walk.picture(sam, 'Taken back: the open look closes');
  walk.keep();
  await samsBrowser.close();
  await patsBrowser.close();
});
