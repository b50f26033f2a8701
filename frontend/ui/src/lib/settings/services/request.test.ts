import { expect, it } from 'vitest';
import { connectRequest } from './request';

it.each([
  ['', null],
  ['?connect=', null],
  ['?state=abc', null],
  ['?connect=Northwind%20CRM', null],
  ['?connect=../crm', null],
  [`?connect=crm&state=${'x'.repeat(501)}`, null],
  ['?connect=crm', { service: 'crm' }],
  ['?connect=northwind-crm&state=a%26b%3Dc', { service: 'northwind-crm', state: 'a&b=c' }],
] as const)('%s asks for %j', (query, want) => {
  expect(connectRequest(query)).toEqual(want);
});
