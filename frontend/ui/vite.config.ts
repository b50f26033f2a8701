import { svelte } from '@sveltejs/vite-plugin-svelte';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import { defineConfig, type Plugin } from 'vite';

/** Where `npm run dev` finds the Go server. */
const backend = process.env['WEBMAIL_URL'] ?? 'http://127.0.0.1:8080';

/**
 * Writes a .br and a .gz beside every text asset, so that the server sends the best one without compressing
 * anything itself. Fonts are compressed already.
 */
function precompress(outDir: string): Plugin {
  const compressible = /\.(js|css|html|svg|webmanifest)$/;
  const brotli = promisify(brotliCompress);
  const gz = promisify(gzip);
  return {
    name: 'precompress',
    apply: 'build',
    async closeBundle() {
      for (const entry of await readdir(outDir, { recursive: true })) {
        if (!compressible.test(entry)) continue;
        const path = join(outDir, entry);
        const raw = await readFile(path);
        await writeFile(`${path}.br`, await brotli(raw, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } }));
        await writeFile(`${path}.gz`, await gz(raw, { level: 9 }));
      }
    },
  };
}

export default defineConfig({
  plugins: [svelte(), precompress('../dist')],
  build: {
    outDir: '../dist',
    // public/.gitkeep is copied back into the emptied folder: Go's embed needs the folder to exist in a fresh clone.
    emptyOutDir: true,
    assetsDir: 'assets',
    target: 'baseline-widely-available',
    // light-dark() must reach the browser as it is written.
    cssTarget: ['chrome123', 'edge123', 'firefox120', 'safari17.5'],
    modulePreload: { polyfill: false },
    // An inlined asset is a data: URL, which the page's CSP refuses.
    assetsInlineLimit: 0,
    reportCompressedSize: false,
  },
  server: {
    proxy: Object.fromEntries(
      [
        '/api',
        '/auth',
        '/access',
        '/body',
        '/staff/body',
        '/attachment',
        '/preview',
        '/remote',
        '/link',
        '/blank',
        '/privacy',
        '/help',
        '/connect',
      ].map((path) => [path, backend]),
    ),
  },
});
