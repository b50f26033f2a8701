import { DOMParser, DOMSerializer } from 'prosemirror-model';
import { describe, expect, it } from 'vitest';
import { safeLink, schema } from './schema';

/** What is left of pasted nodes. Built by hand: the browser's part, parsing HTML, is tested in the browser. */
function cleaned(...nodes: Node[]): string {
  const holder = document.createElement('div');
  holder.append(...nodes);
  const out = document.createElement('div');
  out.append(DOMSerializer.fromSchema(schema).serializeFragment(DOMParser.fromSchema(schema).parse(holder).content));
  // eslint-disable-next-line no-restricted-properties -- read, not written
  return out.innerHTML;
}

function element(tag: string, attributes: Record<string, string>, ...children: (Node | string)[]): HTMLElement {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

describe('what survives a paste', () => {
  it('keeps the words and drops what a message has no use for', () => {
    const hostile = element(
      'div',
      { onclick: 'x()', class: 'evil' },
      element('script', {}, 'x()'),
      element('p', { id: 'a' }, 'words ', element('img', { src: 'https://t.example/p.gif' })),
    );
    expect(cleaned(hostile)).toBe('<div>words</div>');
  });

  it('keeps links of the web and drops what only runs', () => {
    expect(cleaned(element('a', { href: 'javascript:x()' }, 'run'))).toBe('<div>run</div>');
    expect(cleaned(element('a', { href: 'https://x.org', target: '_top' }, 'go'))).toBe(
      '<div><a href="https://x.org" rel="noopener noreferrer">go</a></div>',
    );
  });

  it('does not take Google Docs’ wrapper for bold', () => {
    const wrapper = element('b', { style: 'font-weight: normal' }, element('p', {}, 'plain'));
    expect(cleaned(wrapper)).toBe('<div>plain</div>');
  });
});

describe('links people type', () => {
  it.each([
    ['https://x.org/a?b#c', 'https://x.org/a?b#c'],
    ['x.org/a', 'https://x.org/a'],
    ['mailto:a@x.org', 'mailto:a@x.org'],
    ['javascript:alert(1)', null],
    [' JavaScript:alert(1)', null],
    ['data:text/html,x', null],
    ['two words', null],
  ])('%j', (text, want) => {
    expect(safeLink(text)).toBe(want);
  });
});
