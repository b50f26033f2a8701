import type { IconName } from '../ui/icons';

/** An icon for a file, by its type and, where that says nothing, by its name. */
export function fileIcon(type: string, name: string): IconName {
  if (type.startsWith('image/')) return 'image';
  if (/zip|compressed|tar|rar|7z/.test(type) || /\.(zip|gz|tgz|rar|7z)$/i.test(name)) return 'file-archive';
  if (
    type.startsWith('text/') ||
    /pdf|word|document|sheet|presentation/.test(type) ||
    /\.(pdf|docx?|odt|xlsx?|pptx?|csv|md)$/i.test(name)
  )
    return 'file-text';
  return 'file';
}
