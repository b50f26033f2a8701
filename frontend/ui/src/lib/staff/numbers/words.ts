/** The questions and answers of the published numbers, in words. Whatever this page does not know keeps its id. */

interface Question {
  title: string;
  text: string;
  cells: Record<string, string>;
}

const questions: Record<string, Question> = {
  days: {
    title: 'Days of use',
    text: 'On how many days of the month owners used the mail client. Each owner is in one of these.',
    cells: { '1-4': '1 to 4 days', '5-14': '5 to 14 days', '15-31': '15 days or more' },
  },
  features: {
    title: 'What was used',
    text: 'Owners who did this at least once in the month. One owner can be in several of these.',
    cells: {
      search: 'Searched',
      organise: 'Archived, labelled or deleted',
      write: 'Wrote or sent',
      attachments: 'Opened attachments',
    },
  },
  trouble: {
    title: 'Difficulties',
    text: 'Owners who met one of these. Each owner is in one of them at most: the first that applies, in this order.',
    cells: {
      refused: 'Refused by the rules',
      permission: 'A permission was missing',
      consent: 'An agreement was missing',
      failed: 'Gmail did not answer',
    },
  },
};

export function questionOf(id: string): Question {
  return questions[id] ?? { title: id, text: '', cells: {} };
}

const long = new Intl.DateTimeFormat(undefined, { month: 'long', year: 'numeric', timeZone: 'UTC' });
const short = new Intl.DateTimeFormat(undefined, { month: 'short', timeZone: 'UTC' });
const day = new Intl.DateTimeFormat(undefined, { dateStyle: 'long', timeZone: 'UTC' });

const start = (month: string): Date => new Date(`${month}-01T00:00:00Z`);

/** "October 2026" for 2026-10. */
export const monthName = (month: string): string => long.format(start(month));
/** "Oct" for 2026-10. */
export const monthLabel = (month: string): string => short.format(start(month));
/** The day of a moment in UTC, in which months are counted. */
export const utcDay = (when: string): string => day.format(new Date(when));
