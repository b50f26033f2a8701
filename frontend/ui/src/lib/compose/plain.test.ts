import { expect, it } from 'vitest';
import { plainToHtml } from './plain';

it('makes paragraphs of lines and markup of nothing', () => {
  expect(plainToHtml('')).toBe('');
  expect(plainToHtml(' \n')).toBe('');
  expect(plainToHtml('a\r\nb')).toBe('<p>a</p><p>b</p>');
  expect(plainToHtml('<img src=x> & co')).toBe('<p>&lt;img src=x&gt; &amp; co</p>');
});
