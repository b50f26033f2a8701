import type { Attachment } from '../api/types';

/** How a file is looked at without downloading it: as an image of the page, or as a document in a frame. */
export type Look = 'image' | 'document' | 'media';

const byEnd: [RegExp, Look][] = [
  [/\.(png|jpe?g|gif|webp|bmp)$/i, 'image'],
  [
    /\.(pdf|txt|csv|tsv|md|log|json|xml|html?|css|ics|vcf|ya?ml|toml|ini|diff|patch|svg|[cm]?[jt]s|go|py|sh|sql)$/i,
    'document',
  ],
  [/\.(mp3|wav|ogg|oga|mp4|m4v|webm)$/i, 'media'],
];
const byType: [RegExp, Look][] = [
  [/^image\/(png|jpe?g|gif|webp|bmp)$/, 'image'],
  [/^(application\/(pdf|json)|text\/)/, 'document'],
  [/^(audio\/(mpeg|mp3|wav|x-wav|ogg)|video\/(mp4|webm))$/, 'media'],
];

/**
 * A guess, by name and then by type; null for what is not worth trying. The server looks at the bytes themselves and
 * has the last word.
 */
export function lookOf({ name, type }: Pick<Attachment, 'name' | 'type'>): Look | null {
  const found = byEnd.find(([end]) => end.test(name)) ?? byType.find(([kind]) => kind.test(type.toLowerCase()));
  return found?.[1] ?? null;
}

/** Where the server shows an attachment rather than sending it as a download. */
export const previewUrl = ({ url }: Pick<Attachment, 'url'>): string => url.replace(/^\/attachment\//, '/preview/');

/** Where all files of a message come as one; null when there is only one to come. */
export function archiveUrl(files: Pick<Attachment, 'url'>[]): string | null {
  const first = files[0]?.url;
  return first && files.length > 1 ? first.replace(/^\/attachment\//, '/attachments/').replace(/\/[^/]+$/, '') : null;
}
