/**
 * Reads foreign HTML where it can do nothing: in a hidden frame whose document the server sends with a CSP that loads
 * nothing and runs nothing. Parsing it in this page (DOMParser, a template) would break this page's own CSP for every
 * style attribute in it and hide those styles, which carry the bold and italic of most word processors.
 */
export async function parseInert(html: string): Promise<HTMLElement> {
  const frame = document.createElement('iframe');
  frame.hidden = true;
  frame.title = 'pasted text';
  frame.setAttribute('sandbox', 'allow-same-origin');
  const loaded = new Promise((resolve) => frame.addEventListener('load', resolve, { once: true }));
  frame.src = '/blank';
  document.body.append(frame);
  try {
    await loaded;
    const inert = frame.contentDocument;
    if (!inert?.body) throw new Error('the inert document did not load');
    // The sink belongs to the inert document: its policy decides, and no script can run there.
    // eslint-disable-next-line no-restricted-properties
    inert.body.innerHTML = html;
    return inert.body;
  } finally {
    // The nodes outlive their frame; nothing in them can load or run any more.
    frame.remove();
  }
}
