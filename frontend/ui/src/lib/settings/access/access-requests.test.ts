import { describe, expect, it, vi } from 'vitest';
import { AccessRequests } from './access-requests.svelte';

interface Call {
  method: string;
  path: string;
  body: unknown;
}

/** Stands in for the network before the client is made, which keeps the fetch it finds then. */
const network = vi.hoisted(() => {
  const held = { answer: (_request: Request): Promise<Response> => Promise.reject(new TypeError('no network')) };
  globalThis.fetch = (request) => held.answer(request as Request);
  return held;
});

/** A server that answers every call with the same, and keeps what it was asked. */
function answering(status: number, value: unknown): Call[] {
  const calls: Call[] = [];
  network.answer = async (request) => {
    const text = await request.text();
    const body = text ? (JSON.parse(text) as unknown) : undefined;
    calls.push({ method: request.method, path: new URL(request.url).pathname, body });
    return new Response(JSON.stringify(value), { status, headers: { 'Content-Type': 'application/json' } });
  };
  return calls;
}

const never = () => {
  throw new Error('nothing should have failed');
};

describe('the requests of an owner', () => {
  it('are those of the mailbox on the screen', async () => {
    answering(200, {
      requests: [
        { id: 'a', account: 'acc1', state: 'offered' },
        { id: 'b', account: 'acc2', state: 'offered' },
      ],
    });
    const requests = new AccessRequests('acc1', never);
    await requests.load();
    expect(requests.all?.map(({ id }) => id)).toEqual(['a']);
  });

  it('are agreed to message by message, at an address that only the server names', async () => {
    const calls = answering(200, { redirect: 'https://accounts.example/sign' });
    const chosen = [{ id: '19a0', attachments: true }];
    expect(await new AccessRequests('acc1', never).agree('r1', chosen)).toBe('https://accounts.example/sign');
    expect(calls).toEqual([{ method: 'POST', path: '/api/access/requests/r1/agree', body: { messages: chosen } }]);
  });

  it('stay what they were when an agreement is refused', async () => {
    answering(409, { type: 'about:blank', title: 'Answered', status: 409, code: 'answered' });
    const requests = new AccessRequests('acc1', never);
    await expect(requests.agree('r1', [{ id: '19a0', attachments: false }])).rejects.toThrow('answered');
    expect(requests.all).toBeNull();
  });
});
