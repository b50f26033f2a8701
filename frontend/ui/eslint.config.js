import js from '@eslint/js';
import svelte from 'eslint-plugin-svelte';
import globals from 'globals';
import ts from 'typescript-eslint';
import svelteConfig from './svelte.config.js';

export default ts.config(
  { ignores: ['node_modules', 'src/lib/api/schema.d.ts', 'test-results', 'playwright-report'] },
  js.configs.recommended,
  ...ts.configs.strict,
  ...svelte.configs.recommended,
  {
    files: ['src/**/*.ts', 'src/**/*.svelte'],
    languageOptions: {
      globals: globals.browser,
      parserOptions: { projectService: true, extraFileExtensions: ['.svelte'] },
    },
    rules: {
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': ['error', { checksVoidReturn: false }],
    },
  },
  { files: ['**/*.svelte', '**/*.svelte.ts'], languageOptions: { parserOptions: { parser: ts.parser, svelteConfig } } },
  {
    files: ['**/*.svelte'],
    rules: {
      // Each of these breaks the strict CSP or Trusted Types in the browser, where no unit test sees it.
      'no-restricted-syntax': [
        'error',
        {
          selector: 'SvelteAttribute[key.name="style"]',
          message: 'A style attribute is refused by the CSP: use style:property={value}.',
        },
      ],
      'svelte/no-at-html-tags': 'error',
      'svelte/no-dom-manipulating': 'error',
      // Routes are made by lib/state/routes.ts, not by SvelteKit.
      'svelte/no-navigation-without-resolve': 'off',
    },
  },
  {
    files: ['src/**/*.ts', 'src/**/*.svelte'],
    rules: {
      'no-restricted-properties': [
        'error',
        { property: 'innerHTML', message: 'Trusted Types: build nodes instead.' },
        { property: 'outerHTML', message: 'Trusted Types: build nodes instead.' },
        { property: 'insertAdjacentHTML', message: 'Trusted Types: build nodes instead.' },
      ],
      'no-restricted-globals': [
        'error',
        { name: 'DOMParser', message: 'Foreign HTML is parsed in the inert frame: lib/compose/inert.ts.' },
      ],
      '@typescript-eslint/no-unused-vars': [
        'error',
        { varsIgnorePattern: '^_', argsIgnorePattern: '^_', destructuredArrayIgnorePattern: '^_' },
      ],
      'no-console': 'error',
      // Sets and Maps of the state classes are bookkeeping on purpose; what a screen shows is $state or a SvelteSet.
      'svelte/prefer-svelte-reactivity': 'off',
    },
  },
  { files: ['*.config.{js,ts}', '.size-limit.js', 'mock/**', 'e2e/**'], languageOptions: { globals: globals.node } },
  {
    // Playwright's fixtures begin with an empty pattern; a test that meets undefined should fail right there.
    files: ['e2e/**'],
    rules: { 'no-empty-pattern': 'off', '@typescript-eslint/no-non-null-assertion': 'off' },
  },
);
