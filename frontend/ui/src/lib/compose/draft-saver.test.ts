import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ApiError, offline } from '../api/problem';
import type { Compose, Draft, Problem } from '../api/types';
import { DraftSaver, type DraftStore, type SaveState } from './draft-saver';
import { emptyCompose } from './reply';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const refusal = (code: string): ApiError =>
  new ApiError({ type: 'about:blank', title: code, status: 409, code } satisfies Problem);

/** A draft that is written in `text`, and a server that answers what it is told to. */
function aDraft() {
  const states: SaveState[] = [];
  const saved: { id: string | null; text: string; ifMessageId: string | undefined }[] = [];
  const kept: string[] = [];
  const faults: unknown[] = [];
  let text = '';
  let revision = 0;
  const answer = async (id: string | null, compose: Compose): Promise<Draft> => {
    await Promise.resolve();
    const fault = faults.shift();
    if (fault) throw fault;
    saved.push({ id, text: compose.html, ifMessageId: compose.ifMessageId });
    revision += 1;
    return { id: 'd1', messageId: `m${revision}`, threadId: 't', compose };
  };
  const store: DraftStore = {
    create: (compose) => answer(null, compose),
    update: (id, compose) => answer(id, compose),
    keep: (compose) => Promise.resolve(void kept.push(compose.html)),
    release: () => Promise.resolve(void kept.splice(0)),
  };
  const saver = new DraftSaver({
    store,
    snapshot: () => ({ ...emptyCompose(), html: text }),
    onState: (state) => states.push(state),
  });
  const write = (more: string) => {
    text = more;
    saver.touch();
  };
  return { saver, states, saved, kept, faults, write };
}

describe('saving a draft', () => {
  it('waits until typing stops, then saves once', async () => {
    const { saved, states, write } = aDraft();
    write('a');
    await vi.advanceTimersByTimeAsync(1_000);
    write('ab');
    await vi.advanceTimersByTimeAsync(1_400);
    expect(saved).toEqual([]);
    await vi.advanceTimersByTimeAsync(200);
    expect(saved).toEqual([{ id: null, text: 'ab', ifMessageId: undefined }]);
    expect(states).toEqual(['waiting', 'waiting', 'saving', 'saved']);
  });

  it('creates a draft once and then replaces the version it knows', async () => {
    const { saved, write } = aDraft();
    write('a');
    await vi.advanceTimersByTimeAsync(2_000);
    write('ab');
    await vi.advanceTimersByTimeAsync(2_000);
    expect(saved[1]).toEqual({ id: 'd1', text: 'ab', ifMessageId: 'm1' });
  });

  it('never has two saves under way', async () => {
    const { saver, saved, write } = aDraft();
    write('a');
    const first = saver.flush();
    write('ab');
    await Promise.all([first, saver.flush()]);
    expect(saved.map(({ id, text }) => [id, text])).toEqual([
      [null, 'a'],
      ['d1', 'ab'],
    ]);
  });

  it('keeps the text in the browser while there is no network, and tries again', async () => {
    const { saved, kept, faults, states, write } = aDraft();
    faults.push(new ApiError(offline));
    write('a');
    await vi.advanceTimersByTimeAsync(1_600);
    expect(states.at(-1)).toBe('offline');
    expect(kept).toEqual(['a']);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(saved.map(({ text }) => text)).toEqual(['a']);
    expect(kept).toEqual([]);
    expect(states.at(-1)).toBe('saved');
  });

  it('stops at a conflict until someone decides, then replaces the other version', async () => {
    const { saver, saved, faults, states, write } = aDraft();
    write('a');
    await vi.advanceTimersByTimeAsync(2_000);
    faults.push(refusal('draft_conflict'));
    write('ab');
    await vi.advanceTimersByTimeAsync(60_000);
    expect(states.at(-1)).toBe('conflict');
    expect(saved).toHaveLength(1);
    await saver.overwrite();
    expect(saved[1]).toEqual({ id: 'd1', text: 'ab', ifMessageId: undefined });
  });

  it('goes on from the other version when that is taken', async () => {
    const { saver, saved, write } = aDraft();
    saver.adopt({ id: 'd9', messageId: 'm9', threadId: 't', compose: emptyCompose() });
    write('mine');
    await vi.advanceTimersByTimeAsync(2_000);
    expect(saved).toEqual([{ id: 'd9', text: 'mine', ifMessageId: 'm9' }]);
  });

  it('keeps but does not repeat what the server refuses', async () => {
    const { saved, kept, faults, states, write } = aDraft();
    faults.push(refusal('too_large'));
    write('a');
    await vi.advanceTimersByTimeAsync(120_000);
    expect(states.at(-1)).toBe('failed');
    expect(saved).toEqual([]);
    expect(kept).toEqual(['a']);
  });

  it('creates no draft after it was stopped, and waits for the save under way', async () => {
    const { saver, saved, write } = aDraft();
    write('a');
    const saving = saver.flush();
    await saver.stop();
    expect(saver.draftId).toBe('d1');
    await saving;
    write('ab');
    await vi.advanceTimersByTimeAsync(60_000);
    expect(saved).toHaveLength(1);
  });
});
