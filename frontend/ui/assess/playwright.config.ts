import base from '../playwright.config';
import { defineConfig } from '@playwright/test';

/** `make assess` walks through the demo once, on one screen, one step after the other. */
export default defineConfig({
  ...base,
  testDir: '.',
  outputDir: '../test-results',
  fullyParallel: false,
  workers: 1,
  reporter: [['list'], ['json']],
  timeout: 120_000,
  projects: [{ name: 'desktop', use: { viewport: { width: 1280, height: 800 } } }],
});
