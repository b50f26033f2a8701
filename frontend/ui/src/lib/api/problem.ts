import type { Problem } from './types';

/** A refusal or failure of the server, or of the way to it (code "offline", made here). */
export class ApiError extends Error {
  readonly problem: Problem;

  constructor(problem: Problem) {
    super(problem.code);
    this.problem = problem;
  }
}

/** What is shown when the server could not be reached. */
export const offline: Problem = {
  type: 'about:blank',
  title: 'You appear to be offline',
  status: 0,
  code: 'offline',
  detail: 'Nothing is lost. This will work again when the connection is back.',
};

/** Reads a problem from the body of an answer that may be anything, say a proxy's HTML page. */
export function problemFrom(body: unknown, status: number): Problem {
  if (typeof body === 'object' && body !== null && 'code' in body && 'title' in body) return body as Problem;
  return {
    type: 'about:blank',
    title: 'Something went wrong',
    status,
    code: status === 401 ? 'unauthenticated' : 'internal',
    detail: 'The server gave an answer this page does not understand. Try again in a moment.',
  };
}

/** Turns whatever was thrown into a problem that can be shown. */
export function asProblem(thrown: unknown): Problem {
  if (thrown instanceof ApiError) return thrown.problem;
  if (thrown instanceof TypeError) return offline; // fetch and EventSource throw this when there is no network
  return {
    ...problemFrom(null, 0),
    detail: 'This page ran into an error of its own. Reload it if that happens again.',
  };
}

/** One sentence for a toast. */
export function sentence(problem: Problem): string {
  switch (problem.code) {
    case 'policy_denied':
      return `Refused by policy${clauseList(problem)}. ${problem.decisionId ? `Decision ${problem.decisionId}.` : ''}`.trim();
    case 'rate_limited':
      return `Gmail asks us to slow down. Try again in ${Math.max(1, Math.ceil((problem.retryAfterMs ?? 1000) / 1000))} s.`;
    default:
      return problem.detail ? `${problem.title}. ${problem.detail}` : problem.title;
  }
}

function clauseList(problem: Problem): string {
  return problem.clauses?.length ? ` (clause ${problem.clauses.join(', ')})` : '';
}
