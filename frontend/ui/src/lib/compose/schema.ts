import { Schema, type DOMOutputSpec, type MarkSpec, type NodeSpec } from 'prosemirror-model';

/**
 * What a message can hold. It is also the list of what survives a paste: everything else is dropped when pasted HTML is
 * read against it.
 */
const nodes = {
  doc: { content: 'block+' },
  paragraph: {
    content: 'inline*',
    group: 'block',
    // A div has no margins of its own, so that a line typed here is a line at the recipient's.
    parseDOM: [
      { tag: 'p' },
      { tag: 'div', getAttrs: isLine },
      { tag: 'h1' },
      { tag: 'h2' },
      { tag: 'h3' },
      { tag: 'h4' },
    ],
    toDOM: (): DOMOutputSpec => ['div', 0],
  },
  blockquote: {
    content: 'block+',
    group: 'block',
    defining: true,
    parseDOM: [{ tag: 'blockquote' }],
    toDOM: (): DOMOutputSpec => ['blockquote', 0],
  },
  code_block: {
    content: 'text*',
    marks: '',
    group: 'block',
    code: true,
    defining: true,
    parseDOM: [{ tag: 'pre', preserveWhitespace: 'full' }],
    toDOM: (): DOMOutputSpec => ['pre', ['code', 0]],
  },
  ordered_list: {
    content: 'list_item+',
    group: 'block',
    parseDOM: [{ tag: 'ol' }],
    toDOM: (): DOMOutputSpec => ['ol', 0],
  },
  bullet_list: {
    content: 'list_item+',
    group: 'block',
    parseDOM: [{ tag: 'ul' }],
    toDOM: (): DOMOutputSpec => ['ul', 0],
  },
  list_item: {
    content: 'paragraph block*',
    defining: true,
    parseDOM: [{ tag: 'li' }],
    toDOM: (): DOMOutputSpec => ['li', 0],
  },
  text: { group: 'inline' },
  hard_break: {
    inline: true,
    group: 'inline',
    selectable: false,
    parseDOM: [{ tag: 'br' }],
    toDOM: (): DOMOutputSpec => ['br'],
  },
} satisfies Record<string, NodeSpec>;

const marks = {
  link: {
    attrs: { href: {} },
    inclusive: false,
    parseDOM: [
      {
        tag: 'a[href]',
        getAttrs: (element: HTMLElement) => {
          const href = safeLink(element.getAttribute('href') ?? '');
          return href ? { href } : false;
        },
      },
    ],
    toDOM: (mark): DOMOutputSpec => ['a', { href: String(mark.attrs['href']), rel: 'noopener noreferrer' }, 0],
  },
  strong: {
    parseDOM: [
      { tag: 'strong' },
      // Google Docs wraps everything in <b style="font-weight:normal">.
      { tag: 'b', getAttrs: (element: HTMLElement) => element.style.fontWeight !== 'normal' && null },
      { style: 'font-weight', getAttrs: (value: string) => /^(bold(er)?|[6-9]\d{2})$/.test(value) && null },
    ],
    toDOM: (): DOMOutputSpec => ['strong', 0],
  },
  em: {
    parseDOM: [{ tag: 'em' }, { tag: 'i' }, { style: 'font-style=italic' }],
    toDOM: (): DOMOutputSpec => ['em', 0],
  },
  underline: {
    parseDOM: [{ tag: 'u' }, { style: 'text-decoration', getAttrs: decorated('underline') }],
    toDOM: (): DOMOutputSpec => ['u', 0],
  },
  strike: {
    parseDOM: [
      { tag: 's' },
      { tag: 'del' },
      { tag: 'strike' },
      { style: 'text-decoration', getAttrs: decorated('line-through') },
    ],
    toDOM: (): DOMOutputSpec => ['s', 0],
  },
  code: { parseDOM: [{ tag: 'code' }, { tag: 'tt' }], toDOM: (): DOMOutputSpec => ['code', 0] },
} satisfies Record<string, MarkSpec>;

export const schema = new Schema({ nodes, marks });

/** A div is a line unless it holds lines: as both, it would leave an empty line before them. */
function isLine(element: HTMLElement): false | null {
  return element.querySelector('p, div, ul, ol, blockquote, pre, table, h1, h2, h3, h4') ? false : null;
}

function decorated(line: string) {
  return (value: string) => value.split(/\s+/).includes(line) && null;
}

/** A link as it may stand in a message; null for what only a program could mean by it. Adds https to a bare host. */
export function safeLink(text: string): string | null {
  const link = text.trim();
  if (/^(https?|mailto|tel):/i.test(link)) return link;
  return /^[\w-]+(\.[\w-]+)+([/?#:].*)?$/.test(link) ? `https://${link}` : null;
}
