import { describe, expect, it } from 'vitest';
import { archiveUrl, lookOf, previewUrl } from './previewing';

describe('what can be looked at', () => {
  it('is known by its name, and by its type when that says nothing', () => {
    expect(lookOf({ name: 'a.PNG', type: 'application/octet-stream' })).toBe('image');
    expect(lookOf({ name: 'report', type: 'application/pdf' })).toBe('document');
    expect(lookOf({ name: 'notes.txt', type: 'text/plain' })).toBe('document');
    expect(lookOf({ name: 'call.mp3', type: '' })).toBe('media');
  });

  it('is not a program, an archive or an office file', () => {
    for (const name of ['a.exe', 'a.zip', 'a.docx', 'png']) expect(lookOf({ name, type: 'application/x' })).toBeNull();
  });
});

describe('addresses', () => {
  const file = { url: '/attachment/acc/m1/2' };

  it('of a preview and of all files stand beside that of the download', () => {
    expect(previewUrl(file)).toBe('/preview/acc/m1/2');
    expect(archiveUrl([file, file])).toBe('/attachments/acc/m1');
  });

  it('of all files is none when there is one file', () => {
    expect(archiveUrl([file])).toBeNull();
    expect(archiveUrl([])).toBeNull();
  });
});
