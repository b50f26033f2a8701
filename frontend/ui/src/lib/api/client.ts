import createClient from 'openapi-fetch';
import { ApiError, offline, problemFrom } from './problem';
import type { paths } from './schema';

/** Typed calls to the server that sent this page; cookies travel by themselves. */
export const http = createClient<paths>({ baseUrl: location.origin });

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
