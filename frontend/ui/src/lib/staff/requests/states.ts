import type { AccessState, StaffRequest } from '../../api/types';

/** Where a request stands for the member of staff who looks at the list. */
export type Group = 'view' | 'decide' | 'offers' | 'waiting' | 'ended';

type Timed = Pick<StaffRequest, 'state' | 'answerBy' | 'endsAt'>;

/** The state as it is at a moment (milliseconds since 1970), also when the server has not yet written down an ending. */
export function stateAt({ state, answerBy, endsAt }: Timed, now: number): AccessState {
  if (state === 'pending' && passed(answerBy, now)) return 'expired';
  if (state === 'active' && passed(endsAt, now)) return 'lapsed';
  return state;
}

const passed = (when: string | undefined, now: number): boolean => when !== undefined && Date.parse(when) <= now;

export function groupOf(request: Timed & Pick<StaffRequest, 'may'>, now: number): Group {
  const state = stateAt(request, now);
  if (state !== request.state) return 'ended';
  if (request.may.includes('view')) return 'view';
  if (request.may.includes('approve')) return 'decide';
  if (state === 'offered') return 'offers';
  return state === 'requested' || state === 'pending' || state === 'active' ? 'waiting' : 'ended';
}

export const groups: { id: Group; title: string }[] = [
  { id: 'view', title: 'Open to you now' },
  { id: 'decide', title: 'For you to decide' },
  { id: 'offers', title: 'Offered by owners' },
  { id: 'waiting', title: 'Under way' },
  { id: 'ended', title: 'Ended' },
];

export const stateWords: Record<AccessState, string> = {
  offered: 'Offered by the owner',
  requested: 'Waits for a second member of staff',
  pending: 'Waits for the owner',
  active: 'Open',
  refused: 'The owner said no',
  declined: 'Not approved',
  withdrawn: 'Withdrawn',
  expired: 'No answer in time',
  revoked: 'Taken back by the owner',
  lapsed: 'Time over',
  closed: 'Closed',
};
