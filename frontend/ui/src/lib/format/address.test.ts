import { describe, expect, it } from 'vitest';
import { formatAddress, hue, initials, isEmail, parseAddresses, participants } from './address';

describe('reading recipients', () => {
  it.each([
    ['ana@x.org', [{ email: 'ana@x.org' }]],
    ['ana@x.org, ben@y.org; cy@z.org', [{ email: 'ana@x.org' }, { email: 'ben@y.org' }, { email: 'cy@z.org' }]],
    ['ana@x.org ben@y.org', [{ email: 'ana@x.org' }, { email: 'ben@y.org' }]],
    ['Ana Ruiz <ana@x.org>', [{ name: 'Ana Ruiz', email: 'ana@x.org' }]],
    ['"Ruiz, Ana" <ana@x.org>, ben@y.org', [{ name: 'Ruiz, Ana', email: 'ana@x.org' }, { email: 'ben@y.org' }]],
    ['<ana@x.org>', [{ email: 'ana@x.org' }]],
    ['mailto:ana@x.org', [{ email: 'ana@x.org' }]],
    ['ana@x.org\nben@y.org\n', [{ email: 'ana@x.org' }, { email: 'ben@y.org' }]],
    ['not an address', [{ email: 'not an address' }]],
    [' , ; ', []],
  ])('%j', (text, want) => {
    expect(parseAddresses(text)).toEqual(want);
  });

  it('reads back what it writes', () => {
    for (const person of [
      { email: 'a@b.c' },
      { name: 'Ana', email: 'a@b.c' },
      { name: 'Ruiz, Ana (Ops)', email: 'a@b.c' },
    ]) {
      expect(parseAddresses(formatAddress(person))).toEqual([person]);
    }
  });
});

describe('what can be an address', () => {
  it.each(['a@b', 'ana.ruiz+tag@mail.example.org', 'ü@bücher.example', "o'neil@x.org"])('%s can', (text) => {
    expect(isEmail(text)).toBe(true);
  });

  it.each(['', 'ana', '@x.org', 'ana@', 'a b@x.org', 'a@b@c', 'a@x..org', 'a@.org', '<a@x.org>'])(
    '%j cannot',
    (text) => {
      expect(isEmail(text)).toBe(false);
    },
  );
});

describe('the people of a row', () => {
  const me = 'me@x.org';

  it('shows one person whole and several by first name', () => {
    expect(participants([{ name: 'Ana Ruiz', email: 'a@x.org' }], me)).toBe('Ana Ruiz');
    const several = [
      { name: 'Ana Ruiz', email: 'a@x.org' },
      { name: 'Me', email: 'ME@x.org' },
      { name: 'Okafor, Ben', email: 'b@x.org' },
      { name: 'Dr. Anke Vogel', email: 'v@x.org' },
    ];
    expect(participants(several, me)).toBe('Ana, me, Ben, Anke Vogel');
  });

  it('names people without a name by their address', () => {
    expect(participants([{ email: 'jo@x.org' }], me)).toBe('jo');
  });
});

describe('badges', () => {
  it.each([
    [{ name: 'Ana Ruiz', email: 'x@y' }, 'AR'],
    [{ name: 'Ana María Ruiz', email: 'x@y' }, 'AR'],
    [{ email: 'jo.doe@y.org' }, 'JD'],
    [{ name: '渡辺 健', email: 'x@y' }, '渡健'],
    [{ name: '"!?"', email: 'x@y' }, '?'],
  ])('%j', (person, want) => {
    expect(initials(person)).toBe(want);
  });

  it('keep their colour, whatever the case of the address', () => {
    expect(hue('Ana@X.org', 8)).toBe(hue('ana@x.org', 8));
  });
});
