import { describe, expect, it } from 'vitest';
import { isForeign, lookalike } from './lookalike';

const known = ['northlight.example', 'mail.paypal.example', 'bank.example'];

describe('a domain', () => {
  it('that looks like a known one is told with it', () => {
    expect(lookalike('north1ight.example', known)).toBe('northlight.example');
    expect(lookalike('nortlhight.example', known)).toBe('northlight.example');
    expect(lookalike('northllight.example', known)).toBe('northlight.example');
    expect(lookalike('paypa1.example', known)).toBe('paypal.example');
    expect(lookalike('north-light.example', known)).toBe('northlight.example');
  });

  it('that is known, or far from all of them, is not', () => {
    expect(lookalike('news.northlight.example', known)).toBeNull();
    expect(lookalike('harbor.example', known)).toBeNull();
    expect(lookalike('shop.co.uk', ['post.co.uk'])).toBeNull();
    expect(lookalike('tank.org', ['bank.org'])).toBeNull();
    expect(lookalike('', known)).toBeNull();
  });

  it('in another alphabet is known as such', () => {
    expect(isForeign('xn--pypal-4ve.example')).toBe(true);
    expect(isForeign('münchen.example')).toBe(true);
    expect(isForeign('munich.example')).toBe(false);
  });
});
