const unit = (name: 'hour' | 'minute' | 'second') =>
  new Intl.NumberFormat(undefined, { style: 'unit', unit: name, unitDisplay: 'short' });
const hours = unit('hour');
const minutes = unit('minute');
const seconds = unit('second');
const long = new Intl.NumberFormat(undefined, { style: 'unit', unit: 'minute', unitDisplay: 'long' });
const longHours = new Intl.NumberFormat(undefined, { style: 'unit', unit: 'hour', unitDisplay: 'long' });

/**
 * What is left of a time, in milliseconds, as two units at most: "11 hr 20 min", "4 min 9 sec". Rounded up, so that it
 * says nothing only when nothing is left.
 */
export function timeLeft(ms: number): string {
  const left = Math.ceil(ms / 1000);
  if (left <= 0) return '';
  if (left >= 3600) {
    const whole = Math.ceil(left / 60);
    return [hours.format(Math.floor(whole / 60)), ...(whole % 60 ? [minutes.format(whole % 60)] : [])].join(' ');
  }
  if (left >= 60)
    return [minutes.format(Math.floor(left / 60)), ...(left % 60 ? [seconds.format(left % 60)] : [])].join(' ');
  return seconds.format(left);
}

/** A length that was agreed to, in minutes: "30 minutes", "1 hour", "90 minutes", "4 hours". */
export function span(count: number): string {
  return count >= 60 && count % 60 === 0 ? longHours.format(count / 60) : long.format(count);
}
