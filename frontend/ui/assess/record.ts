import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from '@playwright/test';

interface Picture {
  file: string;
  caption: string;
  at: string;
}

/**
 * What a walk saw, for the evidence pack. Whether it went well is not in here: that is for the results of the run. Without
 * `WEBMAIL_EVIDENCE`, the directory that `make assess` gives, nothing is kept.
 */
export class Walk {
  #pictures: Picture[] = [];
  #directory = process.env['WEBMAIL_EVIDENCE'];
  #record;

  constructor(id: string, title: string, test: string, says: string) {
    this.#record = { id, title, test: `frontend/ui/assess/walk.spec.ts: ${test}`, says, at: new Date().toISOString() };
  }

  /** Takes a picture of what a person sees now. */
  async picture(page: Page, caption: string, { fullPage = false } = {}): Promise<void> {
    const image = await page.screenshot({ fullPage, animations: 'disabled' });
    const file = `${this.#pictures.length + 1}.png`;
    this.#pictures.push({ file, caption, at: new Date().toISOString() });
    if (this.#directory) writeFileSync(join(this.#folder(this.#directory), file), image);
  }

  /** Writes the record beside its pictures. */
  keep(): void {
    if (!this.#directory) return;
    const text = JSON.stringify({ ...this.#record, pictures: this.#pictures }, null, 1);
    writeFileSync(join(this.#folder(this.#directory), 'record.json'), text);
  }

  #folder(directory: string): string {
    const folder = join(directory, 'walks', this.#record.id);
    mkdirSync(folder, { recursive: true });
    return folder;
  }
}
