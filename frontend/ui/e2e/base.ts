import { test as base, expect, type Page } from '@playwright/test';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

interface Guard {
  /**
   * What the page complained about so far. A test that provokes a complaint on purpose takes it out; whatever is left
   * at the end fails the test.
   */
  complaints: string[];
  /** Accessibility faults of the page as it stands, mail content left out. */
  accessibility: () => Promise<string[]>;
}

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const rules = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

/** Playwright's test, which here also fails on a CSP violation, a console error or an uncaught exception. */
export const test = base.extend<Guard>({
  complaints: [
    async ({ page }, use) => {
      const complaints: string[] = [];
      page.on('console', (message) => {
        if (message.type() === 'error' && !expected(message.text())) complaints.push(message.text());
      });
      page.on('pageerror', (error) => complaints.push(error.message));
      await use(complaints);
      expect(complaints, 'the page complained').toEqual([]);
    },
    { auto: true },
  ],
  accessibility: async ({ page }, use) => {
    await use(() => violations(page));
  },
});

export { expect };

/** Chromium says this of every script in pasted or mailed HTML: it is the sandbox at work. */
const expected = (text: string): boolean => text.startsWith('Blocked script execution in');

async function violations(page: Page): Promise<string[]> {
  // Through the debugger: the page's own policy would refuse a script from outside.
  const debuggerOf = await page.context().newCDPSession(page);
  await debuggerOf.send('Runtime.evaluate', { expression: axe });
  const found = await page.evaluate(
    (only) =>
      (
        globalThis as unknown as {
          axe: {
            run: (
              root: Document,
              options: object,
            ) => Promise<{ violations: { id: string; nodes: { target: unknown[] }[] }[] }>;
          };
        }
      ).axe.run(document, { iframes: false, runOnly: only }),
    rules,
  );
  return found.violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ target }) => String(target)).join(', ')}`);
}
