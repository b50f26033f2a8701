/** Message references as owners copy them from a message's menu: one a line, or separated by blanks or commas. */
export function readReferences(text: string): { ids: string[]; wrong: string[] } {
  const ids: string[] = [];
  const wrong: string[] = [];
  for (const word of text.toLowerCase().split(/[\s,;]+/)) {
    if (word === '') continue;
    const list = /^[0-9a-f]{1,20}$/.test(word) ? ids : wrong;
    if (!list.includes(word)) list.push(word);
  }
  return { ids, wrong };
}
