import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, BrowserContext, Page } from '@playwright/test';
import { expect, test as base } from './base';

/** A server of its own for each worker: `webmail demo`, the real program, on a port that is free. */
export interface Demo {
  url: string;
  data: string;
}

const program = join(import.meta.dirname, '..', '..', '..', 'bin', 'webmail');

export const test = base.extend<{ alice: Page; bob: Page }, { demo: Demo }>({
  demo: [
    // eslint-disable-next-line no-empty-pattern -- Playwright reads the fixture's needs from this pattern: none
    async ({}, use) => {
      const kept = process.env['WEBMAIL_DATA']; // of `make assess`, which looks at it afterwards
      const data = kept ?? mkdtempSync(join(tmpdir(), 'webmail-e2e-'));
      const args = [
        'demo',
        '--addr',
        '127.0.0.1:0',
        '--data',
        data,
        '--poll',
        '300ms',
        '--hold',
        '2s',
        '--quota',
        'off',
      ];
      const server = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] });
      const url = await new Promise<string>((resolve, reject) => {
        server.stdout.on('data', (chunk: Buffer) => {
          const found = /http:\/\/\S+/.exec(chunk.toString());
          if (found) resolve(found[0]);
        });
        server.on('exit', (code) => {
          reject(new Error(`the demo ended with ${String(code)}`));
        });
      });
      await use({ url, data });
      server.removeAllListeners('exit');
      server.kill('SIGTERM');
      await new Promise((resolve) => server.once('exit', resolve));
      if (!kept) rmSync(data, { recursive: true, force: true });
    },
    { scope: 'worker' },
  ],
  baseURL: async ({ demo }, use) => {
    await use(demo.url);
  },
  alice: async ({ page }, use) => {
    await signIn(page, 'alice@example.com');
    await use(page);
  },
  bob: async ({ browser, demo }, use) => {
    const { page, context } = await visitor(browser, demo);
    await signIn(page, 'bob@example.com');
    await use(page);
    await context.close();
  },
});

export { expect };

/** Another person in a browser of their own. */
export async function visitor(browser: Browser, demo: Demo): Promise<{ page: Page; context: BrowserContext }> {
  const context = await browser.newContext({ baseURL: demo.url, viewport: { width: 1280, height: 800 } });
  return { page: await context.newPage(), context };
}

/** The whole ceremony, of which a person who came before sees only parts. */
export async function signIn(page: Page, address: string): Promise<void> {
  await page.goto('/');
  await page.getByRole('button', { name: 'Sign in with Google' }).click();
  const inbox = page.getByRole('grid');
  const next = page
    .getByRole('button', { name: new RegExp(`^(?!Account).*${address}`) })
    .or(page.getByRole('button', { name: 'Continue', exact: true }))
    .or(page.getByRole('button', { name: /^Agree/ }));
  for (let step = 0; step < 8; step++) {
    await inbox.or(next).first().waitFor();
    if (await inbox.isVisible()) return;
    await next.first().click();
    await page.waitForLoadState();
  }
  await expect(inbox).toBeVisible();
}

export async function signInStaff(page: Page, address: string): Promise<void> {
  await page.goto('/');
  await page.getByRole('button', { name: /staff/i }).click();
  await page.getByRole('button', { name: new RegExp(address) }).click();
}

/** The row of a conversation in the list. */
export const row = (page: Page, text: string | RegExp) => page.getByRole('row').filter({ hasText: text });
