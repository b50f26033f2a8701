const long = new Intl.DateTimeFormat(undefined, { dateStyle: 'long' });
const short = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' });

/** A day in full, as promises name it. */
export const day = (when: string): string => long.format(new Date(when));

/** A day and the time, to the minute. */
export const moment = (when: string): string => short.format(new Date(when));
