import { baseKeymap, chainCommands, exitCode, lift, setBlockType, toggleMark, wrapIn } from 'prosemirror-commands';
import { history, redo, undo } from 'prosemirror-history';
import { inputRules, textblockTypeInputRule, wrappingInputRule } from 'prosemirror-inputrules';
import { keymap } from 'prosemirror-keymap';
import { DOMParser as ModelParser, DOMSerializer, type MarkType, type NodeType } from 'prosemirror-model';
import { liftListItem, sinkListItem, splitListItem, wrapInList } from 'prosemirror-schema-list';
import { EditorState, TextSelection, type Command, type Plugin } from 'prosemirror-state';
import { EditorView } from 'prosemirror-view';
import type { Writing } from './composer.svelte';
import { parseInert } from './inert';
import { safeLink, schema } from './schema';

const { marks, nodes } = schema;

/** What the toolbar can ask for. */
export type Format =
  'bold' | 'italic' | 'underline' | 'strike' | 'code' | 'bullets' | 'numbers' | 'quote' | 'codeBlock' | 'clear';

export interface EditorOptions {
  place: HTMLElement;
  label: string;
  onChange: () => void;
  /** which formats hold at the cursor */
  onSelection: (active: ReadonlySet<Format | 'link'>) => void;
  onFiles: (files: File[]) => void;
  onSend: () => void;
  onEscape: () => void;
}

/** The rich-text field of a compose window: ProseMirror, with paste cleaned and nothing parsed in this page. */
export class Editor implements Writing {
  #view: EditorView;
  #options: EditorOptions;

  constructor(options: EditorOptions) {
    this.#options = options;
    this.#view = new EditorView(options.place, {
      state: EditorState.create({ schema, plugins: plugins(options) }),
      attributes: { 'aria-label': options.label, role: 'textbox', 'aria-multiline': 'true', spellcheck: 'true' },
      dispatchTransaction: (transaction) => {
        this.#view.updateState(this.#view.state.apply(transaction));
        if (transaction.docChanged && !transaction.getMeta('loading')) options.onChange();
        options.onSelection(this.#active());
      },
      // At the DOM event, before ProseMirror parses the HTML itself.
      handleDOMEvents: {
        paste: (_view, event) => this.#receive(event, event.clipboardData),
        drop: (_view, event) => this.#receive(event, event.dataTransfer),
      },
    });
  }

  html(): string {
    const holder = document.createElement('div');
    holder.append(DOMSerializer.fromSchema(schema).serializeFragment(this.#view.state.doc.content));
    // An empty line has no height without something in it.
    for (const line of holder.querySelectorAll('div:empty')) line.append(document.createElement('br'));
    return this.text().trim() === '' ? '' : holder.getHTML();
  }

  text(): string {
    const { doc } = this.#view.state;
    return doc.textBetween(0, doc.content.size, '\n', '\n');
  }

  async setHtml(html: string): Promise<void> {
    const doc = ModelParser.fromSchema(schema).parse(await parseInert(html));
    const { state } = this.#view;
    const transaction = state.tr.replaceWith(0, state.doc.content.size, doc.content);
    this.#view.dispatch(
      transaction
        .setMeta('loading', true)
        .setMeta('addToHistory', false)
        .setSelection(TextSelection.atStart(transaction.doc)),
    );
  }

  focus(): void {
    this.#view.focus();
  }

  format(format: Format): void {
    commands[format](this.#view.state, (transaction) => this.#view.dispatch(transaction));
    this.#view.focus();
  }

  /** The address of the link at the cursor, if there is one. */
  linkAt(): string {
    const { from, $from, to, empty } = this.#view.state.selection;
    const found = empty ? marks.link.isInSet($from.marks()) : undefined;
    let href = found ? String(found.attrs['href']) : '';
    this.#view.state.doc.nodesBetween(from, to, (node) => {
      const mark = marks.link.isInSet(node.marks);
      if (mark) href = String(mark.attrs['href']);
    });
    return href;
  }

  /** Makes the selection a link, or inserts the address where nothing is selected. Empty text removes links. */
  link(text: string): boolean {
    const { state } = this.#view;
    const { from, to, empty } = state.selection;
    const href = safeLink(text);
    if (text && !href) return false;
    const transaction = state.tr;
    if (!href) transaction.removeMark(from, to, marks.link);
    else if (empty) transaction.insert(from, schema.text(text.trim(), [marks.link.create({ href })]));
    else transaction.addMark(from, to, marks.link.create({ href }));
    this.#view.dispatch(transaction);
    this.#view.focus();
    return true;
  }

  destroy(): void {
    this.#view.destroy();
  }

  #receive(event: Event, data: DataTransfer | null): boolean {
    if (!data) return false;
    const files = [...data.files];
    const html = data.getData('text/html');
    if (files.length === 0 && !html) return false; // plain text is ProseMirror's own business
    event.preventDefault();
    if (files.length > 0) this.#options.onFiles(files);
    else void this.#insert(html);
    return true;
  }

  async #insert(html: string): Promise<void> {
    const slice = ModelParser.fromSchema(schema).parseSlice(await parseInert(html));
    this.#view.dispatch(this.#view.state.tr.replaceSelection(slice).scrollIntoView());
  }

  #active(): ReadonlySet<Format | 'link'> {
    const { state } = this.#view;
    const { from, to, empty, $from } = state.selection;
    const has = (mark: MarkType) =>
      empty ? mark.isInSet(state.storedMarks ?? $from.marks()) !== undefined : state.doc.rangeHasMark(from, to, mark);
    const within = (type: NodeType) =>
      Array.from({ length: $from.depth + 1 }, (_, depth) => $from.node(depth).type).includes(type);
    const active = new Set<Format | 'link'>();
    for (const [name, mark] of [
      ['bold', marks.strong],
      ['italic', marks.em],
      ['underline', marks.underline],
      ['strike', marks.strike],
      ['code', marks.code],
      ['link', marks.link],
    ] as const)
      if (has(mark)) active.add(name);
    for (const [name, type] of [
      ['bullets', nodes.bullet_list],
      ['numbers', nodes.ordered_list],
      ['quote', nodes.blockquote],
      ['codeBlock', nodes.code_block],
    ] as const)
      if (within(type)) active.add(name);
    return active;
  }
}

const toggleBlock =
  (type: NodeType): Command =>
  (state, dispatch) => {
    const { $from } = state.selection;
    for (let depth = $from.depth; depth > 0; depth--) if ($from.node(depth).type === type) return lift(state, dispatch);
    return wrapIn(type)(state, dispatch);
  };

const toggleList = (type: NodeType): Command =>
  chainCommands((state, dispatch) => {
    const { $from } = state.selection;
    for (let depth = $from.depth; depth > 0; depth--)
      if ($from.node(depth).type === type) return liftListItem(nodes.list_item)(state, dispatch);
    return false;
  }, wrapInList(type));

const toggleCodeBlock: Command = (state, dispatch) => {
  const inside = state.selection.$from.parent.type === nodes.code_block;
  return setBlockType(inside ? nodes.paragraph : nodes.code_block)(state, dispatch);
};

const clear: Command = (state, dispatch) => {
  const { from, to, empty } = state.selection;
  const range = empty ? { from: 0, to: state.doc.content.size } : { from, to };
  dispatch?.(state.tr.removeMark(range.from, range.to));
  return true;
};

const commands: Record<Format, Command> = {
  bold: toggleMark(marks.strong),
  italic: toggleMark(marks.em),
  underline: toggleMark(marks.underline),
  strike: toggleMark(marks.strike),
  code: toggleMark(marks.code),
  bullets: toggleList(nodes.bullet_list),
  numbers: toggleList(nodes.ordered_list),
  quote: toggleBlock(nodes.blockquote),
  codeBlock: toggleCodeBlock,
  clear,
};

const hardBreak: Command = chainCommands(exitCode, (state, dispatch) => {
  dispatch?.(state.tr.replaceSelectionWith(nodes.hard_break.create()).scrollIntoView());
  return true;
});

function plugins({ onSend, onEscape }: EditorOptions): Plugin[] {
  const tell = (about: () => void): Command => {
    return () => {
      about();
      return true;
    };
  };
  return [
    history(),
    inputRules({
      rules: [
        wrappingInputRule(/^\s*([-*])\s$/, nodes.bullet_list),
        wrappingInputRule(/^1[.)]\s$/, nodes.ordered_list),
        wrappingInputRule(/^\s*>\s$/, nodes.blockquote),
        textblockTypeInputRule(/^```$/, nodes.code_block),
      ],
    }),
    keymap({
      'Mod-Enter': tell(onSend),
      // ProseMirror keeps this key from the window around it.
      Escape: tell(onEscape),
      'Mod-z': undo,
      'Mod-y': redo,
      'Shift-Mod-z': redo,
      'Mod-b': commands.bold,
      'Mod-i': commands.italic,
      'Mod-u': commands.underline,
      'Mod-Shift-x': commands.strike,
      'Mod-Shift-8': commands.bullets,
      'Mod-Shift-7': commands.numbers,
      'Mod-Shift-9': commands.quote,
      'Mod-\\': commands.clear,
      'Shift-Enter': hardBreak,
      Enter: splitListItem(nodes.list_item),
      'Mod-[': liftListItem(nodes.list_item),
      'Mod-]': sinkListItem(nodes.list_item),
    }),
    keymap(baseKeymap),
  ];
}
