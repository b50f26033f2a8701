import type { Right } from '../../api/types';

/** Google's permissions in words. Others are shown by their name. */
const scopes: Record<string, string> = {
  'https://www.googleapis.com/auth/gmail.modify': 'Read, write, sort and send mail, but not delete it for good',
  'https://www.googleapis.com/auth/gmail.readonly': 'Read mail',
  'https://www.googleapis.com/auth/userinfo.email': 'Know your address',
  'https://www.googleapis.com/auth/userinfo.profile': 'Know your name',
  openid: 'Know your account at Google',
};

export const scopeName = (scope: string): string => scopes[scope] ?? scope;

/** The last part of a permission's name, by which Google lists it. */
export const scopeShort = (scope: string): string => scope.slice(scope.lastIndexOf('/') + 1);

export const rights: { right: Right; title: string; hint: string }[] = [
  { right: 'rectification', title: 'Correct something', hint: 'What is wrong, and how should it read?' },
  { right: 'restriction', title: 'Restrict a use', hint: 'Which use should stop for the time being?' },
  { right: 'objection', title: 'Object to a use', hint: 'Which use do you object to?' },
  { right: 'access', title: 'Know more than the copy says', hint: 'What would you like to know?' },
  { right: 'portability', title: 'Have it sent elsewhere', hint: 'Where should it go?' },
  {
    right: 'erasure',
    title: 'Delete something',
    hint: 'What should be deleted? You can delete your account yourself, below.',
  },
];

export const rightName = (right: Right): string =>
  right === 'portability' ? 'A copy of your data' : (rights.find((r) => r.right === right)?.title ?? right);
