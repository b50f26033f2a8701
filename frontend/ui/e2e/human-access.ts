import type { Page } from '@playwright/test';
import { expect } from './demo';

/** Staff read the rules once a year; the first time is now. */
export async function acknowledge(page: Page): Promise<void> {
  const heading = page.getByRole('heading', { name: 'Requests to see a message' });
  const tick = page.getByRole('checkbox', { name: /I have read these rules/ });
  await heading.or(tick).waitFor();
  if (await heading.isVisible()) return;
  await tick.check();
  await page.getByRole('button', { name: 'Acknowledge' }).click();
  await expect(heading).toBeVisible();
}

/** The emulated Google: choose the account, allow. */
export async function proveWithGoogle(page: Page, address: string): Promise<void> {
  const back = page.getByRole('heading', { name: 'Who may see my mail' });
  const next = page
    .getByRole('button', { name: new RegExp(`^(?!Account).*${address}`) })
    .or(page.getByRole('button', { name: 'Continue', exact: true }));
  await page.waitForURL(/\/o\/oauth2\//); // until then the page that is being left still shows the heading
  for (let step = 0; step < 5; step++) {
    await back.or(next).first().waitFor();
    if (await back.isVisible()) return;
    await next.first().click();
    await page.waitForLoadState();
  }
  await expect(back).toBeVisible();
}
