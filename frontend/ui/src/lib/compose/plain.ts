/** Makes the editor's HTML of plain text: a paragraph for each line. */
export function plainToHtml(text: string): string {
  if (text.trim() === '') return '';
  return text
    .split(/\r\n|\r|\n/)
    .map((line) => `<p>${line.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')}</p>`)
    .join('');
}
