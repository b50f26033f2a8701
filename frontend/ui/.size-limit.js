import { readFileSync } from 'node:fs';

/** Everything the built index.html asks for before anybody does anything. */
const page = readFileSync(new URL('../dist/index.html', import.meta.url), 'utf8');
const assets = [...page.matchAll(/(?:src|href)="\/(assets\/[^"]+)"/g)].map(([, path]) => `../dist/${path}`);

export default [
  { name: 'first load, JavaScript', path: assets.filter((path) => path.endsWith('.js')), limit: '60 kB', brotli: true },
  { name: 'first load, CSS', path: assets.filter((path) => path.endsWith('.css')), limit: '12 kB', brotli: true },
  { name: 'editor, loaded when composing', path: '../dist/assets/editor-*.js', limit: '75 kB', brotli: true },
];
