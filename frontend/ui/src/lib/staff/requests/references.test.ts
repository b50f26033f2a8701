import { describe, expect, it } from 'vitest';
import { readReferences } from './references';

describe('message references', () => {
  it.each([
    ['19a0000000a1', ['19a0000000a1'], []],
    [' 19A0\n19a1, 19a2;19a3 ', ['19a0', '19a1', '19a2', '19a3'], []],
    ['19a0 19a0', ['19a0'], []],
    ['', [], []],
    ['the one from Maya', [], ['the', 'one', 'from', 'maya']],
    ['label:inbox *', [], ['label:inbox', '*']],
    ['0123456789abcdef012345', [], ['0123456789abcdef012345']],
  ])('%j', (text, ids, wrong) => {
    expect(readReferences(text)).toEqual({ ids, wrong });
  });
});
