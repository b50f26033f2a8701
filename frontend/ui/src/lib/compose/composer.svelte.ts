import { call, http } from '../api/client';
import { asProblem, sentence } from '../api/problem';
import type { Address, Compose, ComposeAttachment, Draft, OutboxItem, Problem } from '../api/types';
import { isEmail } from '../format/address';
import { fileSize } from '../format/size';
import { mentionsAttachment } from './attachment-hint';
import { DraftSaver, type SaveState } from './draft-saver';
import { dropUnsaved, keepUnsaved } from './unsaved';
import { upload, type Transfer } from './upload';

/** Bytes in all attachments of a message, by the contract. */
export const attachmentLimit = 25 * 1000 * 1000;

/** What the composer needs of its editor, which is loaded later than the window around it. */
export interface Writing {
  html(): string;
  text(): string;
  setHtml(html: string): Promise<void>;
  focus(): void;
}

/** An attachment on its way or arrived. */
export class Attaching {
  readonly key = crypto.randomUUID();
  readonly name: string;
  readonly size: number;
  readonly type: string;
  progress = $state(0);
  state = $state<'uploading' | 'done' | 'failed'>('uploading');
  problem = $state('');
  part: ComposeAttachment | null = null;
  transfer: Transfer | null = null;

  constructor(name: string, size: number, type: string, part?: ComposeAttachment) {
    this.name = name;
    this.size = size;
    this.type = type;
    if (part) {
      this.part = part;
      this.state = 'done';
      this.progress = 1;
    }
  }
}

/** A question asked before sending; sending again answers it. */
export type Doubt = 'attachment' | 'subject' | null;

/** Takes failures that concern the whole page; answers those that are to be shown in the window. */
type Absorb = (thrown: unknown) => Problem | null;

/** Where a message in a window comes from, when it is not new. */
interface Origin {
  /** its name among what is kept in this browser */
  key?: string;
  draftId?: string | undefined;
  /** the version of the draft that was opened */
  messageId?: string | undefined;
}

export class Composer {
  readonly key: string;
  readonly account: string;
  kind: NonNullable<Compose['kind']> = 'new';
  to = $state.raw<Address[]>([]);
  cc = $state.raw<Address[]>([]);
  bcc = $state.raw<Address[]>([]);
  subject = $state('');
  quote = $state(true);
  attachments = $state.raw<Attaching[]>([]);
  save = $state<SaveState>('idle');
  saveProblem = $state.raw<Problem | null>(null);
  sending = $state(false);
  sendProblem = $state('');
  doubt = $state<Doubt>(null);
  size = $state<'normal' | 'minimized' | 'maximized'>('normal');
  /** what the editor starts with; replaced when another version of the draft is taken */
  initialHtml: string;
  writing: Writing | null = null;

  readonly total = $derived(this.attachments.reduce((sum, { size }) => sum + size, 0));
  readonly uploading = $derived(this.attachments.some(({ state }) => state === 'uploading'));
  readonly invalid = $derived([...this.to, ...this.cc, ...this.bcc].filter(({ email }) => !isEmail(email)));
  readonly title = $derived(this.subject.trim() || titles[this.kind]);

  #absorb: Absorb;
  #inReplyTo: string | undefined;
  #threadId: string | undefined;
  #saver: DraftSaver;
  /** One key for one message: a request that is repeated because its answer was lost is the same send. */
  #idempotencyKey = crypto.randomUUID();

  constructor(account: string, compose: Compose, absorb: Absorb, { key, draftId, messageId }: Origin = {}) {
    this.key = key ?? crypto.randomUUID();
    this.#absorb = absorb;
    this.account = account;
    this.kind = compose.kind ?? 'new';
    this.#inReplyTo = compose.inReplyTo;
    this.#threadId = compose.threadId;
    this.initialHtml = compose.html;
    this.#fill(compose);
    this.#saver = new DraftSaver({
      draftId: draftId ?? compose.draftId,
      messageId: messageId ?? compose.ifMessageId,
      snapshot: () => this.compose(),
      onState: (state, thrown) => {
        this.save = state;
        this.saveProblem = thrown === undefined ? null : asProblem(thrown);
        if (thrown !== undefined) this.#absorb(thrown);
      },
      store: {
        create: (body) => call(http.POST('/api/accounts/{account}/drafts', { params: { path: { account } }, body })),
        update: (draft, body) =>
          call(http.PUT('/api/accounts/{account}/drafts/{draft}', { params: { path: { account, draft } }, body })),
        keep: (body, draft) =>
          keepUnsaved({ key: this.key, account, compose: body, at: Date.now(), ...(draft && { draftId: draft }) }),
        release: () => dropUnsaved(this.key),
      },
    });
  }

  get draftId(): string | undefined {
    return this.#saver.draftId;
  }

  /** Whether something was written that Gmail does not have yet. */
  get unsaved(): boolean {
    return this.#saver.unsaved;
  }

  /** The message as it stands. */
  compose(): Compose {
    return {
      kind: this.kind,
      ...(this.#inReplyTo && { inReplyTo: this.#inReplyTo }),
      ...(this.#threadId && { threadId: this.#threadId }),
      to: this.to,
      cc: this.cc,
      bcc: this.bcc,
      subject: this.subject,
      html: this.writing?.html() ?? this.initialHtml,
      quote: this.quote,
      attachments: this.attachments.flatMap(({ part }) => (part ? [part] : [])),
    };
  }

  touch(): void {
    this.sendProblem = '';
    this.doubt = null;
    this.#saver.touch();
  }

  flush(): Promise<void> {
    return this.#saver.flush();
  }

  attach(files: Iterable<File>): void {
    for (const file of files) {
      const item = new Attaching(file.name || 'pasted-image.png', file.size, file.type);
      if (this.total + file.size > attachmentLimit) {
        item.state = 'failed';
        item.problem = `Too large: all attachments together may have ${fileSize(attachmentLimit)}`;
        this.attachments = [...this.attachments, item];
        continue;
      }
      this.attachments = [...this.attachments, item];
      void this.#transfer(item, file);
    }
  }

  detach(item: Attaching): void {
    item.transfer?.cancel();
    this.attachments = this.attachments.filter((other) => other !== item);
    this.touch();
  }

  /** Keeps this version of the draft, or takes the one that was saved elsewhere. */
  async resolve(choice: 'mine' | 'theirs'): Promise<void> {
    if (choice === 'mine') {
      await this.#saver.overwrite();
      return;
    }
    const draft = this.#saver.draftId;
    if (!draft) return;
    const params = { path: { account: this.account, draft } };
    const theirs: Draft = await call(http.GET('/api/accounts/{account}/drafts/{draft}', { params }));
    this.#fill(theirs.compose);
    this.initialHtml = theirs.compose.html;
    await this.writing?.setHtml(theirs.compose.html);
    this.#saver.adopt(theirs);
  }

  /** What must be put right before this can be sent; empty when nothing must. */
  obstacle(): string {
    if (this.to.length + this.cc.length + this.bcc.length === 0) return 'Add at least one recipient.';
    const wrong = this.invalid[0];
    if (wrong) return `“${wrong.email}” is not an email address.`;
    if (this.uploading) return 'An attachment is still being uploaded.';
    if (this.attachments.some(({ state }) => state === 'failed'))
      return 'An attachment could not be uploaded. Remove it or add it again.';
    return '';
  }

  /** Sends, at once or at a time in milliseconds since 1970; answers null after saying in the window why not. */
  async send(sendAt?: number): Promise<OutboxItem | null> {
    if (this.sending) return null;
    this.sendProblem = this.obstacle();
    if (this.sendProblem) return null;
    const doubt = this.#doubt();
    if (doubt && this.doubt !== doubt) {
      this.doubt = doubt;
      return null;
    }
    this.sending = true;
    try {
      await this.#saver.stop();
      const compose = this.compose();
      const draftId = this.#saver.draftId;
      const body = {
        compose,
        idempotencyKey: this.#idempotencyKey,
        ...(draftId && { draftId }),
        ...(sendAt && { sendAt }),
      };
      const item = await this.#insist(() =>
        call(http.POST('/api/accounts/{account}/send', { params: { path: { account: this.account } }, body })),
      );
      await dropUnsaved(this.key);
      return item;
    } catch (thrown) {
      const problem = this.#absorb(thrown);
      this.sendProblem = problem ? sentence(problem) : '';
      this.#saver.resume();
      return null;
    } finally {
      this.sending = false;
    }
  }

  /** Deletes the draft, here and in Gmail. */
  async discard(): Promise<void> {
    for (const { transfer } of this.attachments) transfer?.cancel();
    await this.#saver.stop();
    await dropUnsaved(this.key);
    const draft = this.#saver.draftId;
    if (draft)
      await call(
        http.DELETE('/api/accounts/{account}/drafts/{draft}', { params: { path: { account: this.account, draft } } }),
      );
  }

  #doubt(): Doubt {
    const text = this.writing?.text() ?? '';
    if (
      this.attachments.length === 0 &&
      this.doubt !== 'subject' &&
      mentionsAttachment(`${this.kind === 'new' ? this.subject : ''} ${text}`)
    )
      return 'attachment';
    if (!this.subject.trim() && this.doubt !== 'attachment') return 'subject';
    return this.doubt;
  }

  /** Repeats a request whose answer was lost. The idempotency key makes a repetition the same send. */
  async #insist<T>(request: () => Promise<T>): Promise<T> {
    for (const wait of [500, 1_500]) {
      try {
        return await request();
      } catch (thrown) {
        if (asProblem(thrown).code !== 'offline') throw thrown;
        await new Promise((resolve) => setTimeout(resolve, wait));
      }
    }
    return request();
  }

  async #transfer(item: Attaching, file: File): Promise<void> {
    item.transfer = upload(this.account, file, (share) => (item.progress = share));
    try {
      const { id, name, type, size } = await item.transfer.done;
      item.part = { uploadId: id, name, type, size };
      item.state = 'done';
      this.touch();
    } catch (thrown) {
      if (thrown instanceof DOMException) return; // cancelled: it is no longer listed
      item.state = 'failed';
      const problem = this.#absorb(thrown);
      item.problem = problem ? sentence(problem) : 'Add it again.';
    }
  }

  #fill(compose: Compose): void {
    this.to = compose.to;
    this.cc = compose.cc;
    this.bcc = compose.bcc;
    this.subject = compose.subject;
    this.quote = compose.quote ?? true;
    this.attachments = compose.attachments.map(
      (part) => new Attaching(part.name ?? 'attachment', part.size ?? 0, part.type ?? '', part),
    );
  }
}

const titles = { new: 'New message', reply: 'Reply', replyAll: 'Reply to all', forward: 'Forward' } as const;
