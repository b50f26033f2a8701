import { expect, row, signInStaff, test, visitor } from './demo';
import { acknowledge, proveWithGoogle } from './human-access';

const subject = 'Lunch on Thursday?';
const words = 'The dumplings there are worth the walk.';

test('an owner shows support one message, sees each look, and takes it back', async ({
  alice,
  browser,
  demo,
  accessibility,
}) => {
  test.slow();
  const { page: sam, context: samsBrowser } = await visitor(browser, demo);
  const { page: pat, context: patsBrowser } = await visitor(browser, demo);

  // The owner begins.
  await row(alice, subject).click();
  await alice.getByRole('button', { name: 'More for this message' }).last().click();
  await alice.getByRole('menuitem', { name: /Let support see this message/ }).click();
  await alice.getByLabel('What is wrong with it?').fill('It opens empty on my phone.');
  await alice.getByRole('button', { name: 'Offer it to support' }).click();
  await expect(alice.getByText('Support still cannot see it')).toBeVisible();

  // Support takes it up and sees nothing by that.
  await signInStaff(sam, 'support@staff.example.com');
  await acknowledge(sam);
  await sam.getByRole('link', { name: /Offer/ }).click();
  await expect(sam.getByText('It opens empty on my phone.')).toBeVisible();
  await sam.getByRole('button', { name: /Take it up/ }).click();
  await sam.getByLabel('Case').fill('4711');
  await sam.getByLabel('Why is it necessary to see it?').fill('We cannot repeat it without the message.');
  await sam.getByRole('button', { name: 'Take it up', exact: true }).click();
  await expect(sam.getByText('Waits for a second member of staff')).toBeVisible();
  await expect(sam.getByRole('button', { name: /Approve/ })).toHaveCount(0);
  await expect(sam.getByRole('button', { name: 'Look at it' })).toHaveCount(0);

  // A second member of staff lets the owner be asked.
  await signInStaff(pat, 'approve@staff.example.com');
  await acknowledge(pat);
  await pat.getByRole('link', { name: /Case 4711/ }).click();
  await pat.getByRole('button', { name: 'Approve: ask the owner' }).click();
  await expect(pat.getByText('Waits for the owner')).toBeVisible();
  await expect(pat.getByRole('button', { name: 'Look at it' })).toHaveCount(0);

  // The owner learns of it in the mailbox, reads, and agrees by signing in once more.
  await alice.goto('/');
  await alice.getByRole('link', { name: 'Read the question' }).click();
  const question = alice.getByRole('article', { name: /asks to see one message/ });
  await expect(question.getByText('We cannot repeat it without the message.')).toBeVisible();
  await expect(question.getByRole('checkbox', { name: new RegExp(subject.replace('?', '\\?')) })).toBeChecked();
  expect(await accessibility(), 'the question').toEqual([]);
  await question.getByRole('button', { name: /Read and agree/ }).click();
  await alice.getByRole('button', { name: 'Agree with Google' }).click();
  await proveWithGoogle(alice, 'alice@example.com');
  await expect(alice.getByRole('article', { name: /may see one message/ })).toBeVisible();

  // Now, and only now, support can look.
  await sam.getByRole('button', { name: 'Look at it' }).click({ timeout: 20_000 });
  await expect(sam.getByRole('heading', { name: subject })).toBeVisible();
  await expect(sam.frameLocator('iframe').getByText(words)).toBeVisible();
  expect(await sam.locator('iframe').getAttribute('sandbox')).toBe('allow-same-origin');
  await expect(sam.getByRole('link', { name: /download|print/i })).toHaveCount(0);
  // The approver cannot, though the agreement is open.
  await pat.reload();
  await expect(pat.getByText('Open', { exact: true })).toBeVisible();
  await expect(pat.getByRole('button', { name: 'Look at it' })).toHaveCount(0);

  // The owner sees the look, and by whom.
  await alice.reload();
  const history = alice.getByRole('list', { name: 'Who saw what, newest first' });
  await expect(history.getByRole('listitem').filter({ hasText: 'Sam Support' }).first()).toContainText(subject);
  expect(await accessibility(), 'the history').toEqual([]);

  // The owner takes it back; the next look is refused and the open one closes.
  const [, request, message] =
    /body\/([^/]+)\/([^/?]+)/.exec((await sam.locator('iframe').getAttribute('src')) ?? '') ?? [];
  const look = () =>
    sam.evaluate(async (path) => {
      const answer = await fetch(path);
      return { ok: answer.ok, text: await answer.text() };
    }, `/api/staff/requests/${request}/messages/${message}`);
  expect(await look(), 'while it is open').toMatchObject({ ok: true, text: expect.stringContaining(subject) });
  await alice.getByRole('button', { name: /Take it back now/ }).click();
  await alice.getByRole('button', { name: 'Take it back', exact: true }).click();
  await expect(alice.getByRole('article', { name: /may see one message/ })).toHaveCount(0);
  expect(await look(), 'after it was taken back').toMatchObject({
    ok: false,
    text: expect.not.stringContaining(subject),
  });
  await expect(sam.getByText('Closed: taken back by the owner.')).toBeVisible({ timeout: 20_000 });
  await expect(sam.locator('iframe')).toHaveCount(0);

  await samsBrowser.close();
  await patsBrowser.close();
});
