import { describe, expect, it } from 'vitest';
import type { Message } from '../api/types';
import { findings, knownBefore, warning } from './authenticity';

const from = { email: 'service@bank.example' };

describe('a message', () => {
  it('that Gmail could not confirm is warned of', () => {
    expect(warning({ from, authenticity: { proven: false, dmarc: 'fail' } }, [])).toMatch(/bank\.example/);
    expect(warning({ from, authenticity: { proven: true, dmarc: 'pass' } }, [])).toBeNull();
    expect(warning({ from }, [])).toBeNull();
  });

  it('from a domain that looks like one’s own is warned of, even when it is confirmed', () => {
    const text = warning({ from: { email: 'it@examp1e.com' }, authenticity: { proven: true } }, ['example.com']);
    expect(text).toContain('examp1e.com');
    expect(text).toContain('example.com,');
  });

  it('of somebody who joins a conversation is held against those who were in it before', () => {
    const by = (email: string) =>
      ({ from: { email }, to: [{ email: 'ann@example.com' }], cc: [] }) as unknown as Message;
    const [real, fake, again] = [
      by('bob@northlight.example'),
      by('bob@north1ight.example'),
      by('bob@north1ight.example'),
    ];
    const all = [real, fake, again];
    for (const message of [fake, again])
      expect(warning(message, knownBefore(all, message, 'ann@example.com'))).toContain('looks like northlight.example');
    expect(warning(real, knownBefore(all, real, 'ann@example.com'))).toBeNull();
  });

  it('tells in words what Gmail found', () => {
    const authenticity = { proven: true, spf: 'softfail', dkim: 'pass', dmarc: 'pass', signedBy: 'bank.example' };
    expect(findings({ authenticity }).map(({ name, text }) => `${name}: ${text}`)).toEqual([
      'Sender: Confirmed by Gmail: the address is the sender’s',
      'Signed by: bank.example',
      'Checks: SPF failed softly, DKIM passed, DMARC passed',
    ]);
    expect(findings({})).toEqual([]);
  });
});
