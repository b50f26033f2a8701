import type { AccessRequest, AccessState } from '../../api/types';

/** Where a request stands for its owner. */
export type Stage = 'answer' | 'open' | 'waiting' | 'over';

type Timed = Pick<AccessRequest, 'state' | 'answerBy' | 'endsAt'>;

/**
 * Where a request stands at a moment (milliseconds since 1970). The clock counts as much as the recorded state: a
 * request whose time has passed is over, whether or not the server has written it down yet.
 */
export function stageOf({ state, answerBy, endsAt }: Timed, now: number): Stage {
  switch (state) {
    case 'pending':
      return passed(answerBy, now) ? 'over' : 'answer';
    case 'active':
      return passed(endsAt, now) ? 'over' : 'open';
    case 'offered':
    case 'requested':
      return 'waiting';
    default:
      return 'over';
  }
}

const passed = (when: string | undefined, now: number): boolean => when !== undefined && Date.parse(when) <= now;

const endings: Partial<Record<AccessState, string>> = {
  refused: 'You said no.',
  revoked: 'You took your agreement back.',
  withdrawn: 'Support took its question back.',
  declined: 'A second member of staff did not approve it.',
  closed: 'Support is done and has closed it.',
  lapsed: 'The time was over.',
  active: 'The time was over.',
};

/** How a request that is over ended, in one sentence. */
export function ending({ state }: Pick<AccessRequest, 'state'>): string {
  return endings[state] ?? 'Nobody answered in time, which counts as no.';
}

/** Requests by stage, each as the server ordered it: newest first. */
export function byStage<T extends Timed>(requests: T[], now: number): Record<Stage, T[]> {
  const groups: Record<Stage, T[]> = { answer: [], open: [], waiting: [], over: [] };
  for (const request of requests) groups[stageOf(request, now)].push(request);
  return groups;
}
