import { ApiError, offline, problemFrom } from '../api/problem';
import type { Upload } from '../api/types';

export interface Transfer {
  done: Promise<Upload>;
  cancel: () => void;
}

/** Sends one file. By XMLHttpRequest, as fetch cannot say how far an upload has come. */
export function upload(account: string, file: File, onProgress: (share: number) => void): Transfer {
  const request = new XMLHttpRequest();
  const done = new Promise<Upload>((resolve, reject) => {
    request.upload.addEventListener('progress', (event) => {
      if (event.lengthComputable) onProgress(event.loaded / event.total);
    });
    request.addEventListener('load', () => {
      const body = parse(request.responseText);
      if (request.status === 201) resolve(body as Upload);
      else reject(new ApiError(problemFrom(body, request.status)));
    });
    request.addEventListener('error', () => reject(new ApiError(offline)));
    request.addEventListener('abort', () => reject(new DOMException('cancelled', 'AbortError')));
  });
  request.open('POST', `/api/accounts/${encodeURIComponent(account)}/uploads`);
  const form = new FormData();
  form.append('file', file, file.name);
  request.send(form);
  return { done, cancel: () => request.abort() };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
