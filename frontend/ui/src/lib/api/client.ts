import createClient from 'openapi-fetch';
import { ApiError, offline, problemFrom } from './problem';
import type { paths } from './schema';

/** Typed calls to the server that sent this page; cookies travel by themselves. */
export const http = createClient<paths>({ baseUrl: location.origin });

/**
 * While the page is being left, nothing new is asked: what the page still does on its own, such as catching up when a
 * stream ends, would only be told that nobody is signed in any more.
 */
let leaving = false;

export function setLeaving(now: boolean): void {
  leaving = now;
}

export const isLeaving = (): boolean => leaving;

const signOutPath = '/api/session/sign-out';

http.use({
  onRequest: ({ schemaPath }) => (leaving && schemaPath !== signOutPath ? new Promise<never>(() => {}) : undefined),
});

interface Answer<T> {
  data?: T;
  error?: unknown;
  response: Response;
}

/** Waits for a call and returns its data. Throws ApiError for every refusal and for a missing network. */
export async function call<T>(pending: Promise<Answer<T>>): Promise<T> {
  let answer: Answer<T>;
  try {
    answer = await pending;
  } catch (thrown) {
    if (thrown instanceof DOMException && thrown.name === 'AbortError') throw thrown;
    throw new ApiError(offline);
  }
  if (!answer.response.ok) throw new ApiError(problemFrom(answer.error, answer.response.status));
  return answer.data as T;
}
