/** Words that promise an attachment, in a few languages; whole words only, so that "attachment theory" still counts. */
const promise =
  /\b(attach(ed|ing|ment|ments)?|enclosed|anbei|angehängt|im anhang|adjunto|adjuntos|ci-joint|ci-jointe|allegato|in allegato|bijlage)\b/iu;

/** Whether a text speaks of an attachment. Give it what the person wrote, without the quoted original. */
export const mentionsAttachment = (text: string): boolean => promise.test(text);
