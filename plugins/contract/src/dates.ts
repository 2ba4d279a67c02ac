// Calendar dates, without a clock: an agreement says the same whenever it is made.

import { Failure } from '@coinop/plugin';

/** A day of the Gregorian calendar. */
export interface Day {
  year: number;
  /** 1 to 12. */
  month: number;
  /** 1 to 31. */
  day: number;
}

const MONTHS = [
  'January', 'February', 'March', 'April', 'May', 'June',
  'July', 'August', 'September', 'October', 'November', 'December',
];

/** The day that `text`, the argument `name`, says as 2027-01-31. */
export function parseDay(text: string, name: string): Day {
  const [year, month, day] = text.split('-').map(Number) as [number, number, number];
  if (month < 1 || month > 12 || day < 1 || day > daysIn(year, month)) {
    throw Failure.invalid(`\`${name}\` is ${text}, a day that the calendar does not have`);
  }
  return { year, month, day };
}

/** The last day of a term of whole months that begins with `first`: a year from 1 March ends on the last of February. */
export function lastDay(first: Day, months: number): Day {
  const count = first.year * 12 + (first.month - 1) + months;
  const year = Math.floor(count / 12);
  const month = (count % 12) + 1;
  // A term from the 31st ends with a shorter month; otherwise on the day before its anniversary.
  if (first.day > daysIn(year, month)) return { year, month, day: daysIn(year, month) };
  if (first.day > 1) return { year, month, day: first.day - 1 };
  const before = month === 1 ? { year: year - 1, month: 12 } : { year, month: month - 1 };
  return { ...before, day: daysIn(before.year, before.month) };
}

/** As it is written in an agreement: 31 January 2027. */
export function inWords({ year, month, day }: Day): string {
  return `${day} ${MONTHS[month - 1]} ${year}`;
}

/** As programs read it: 2027-01-31. */
export function iso({ year, month, day }: Day): string {
  return [String(year).padStart(4, '0'), ...[month, day].map((part) => String(part).padStart(2, '0'))].join('-');
}

function daysIn(year: number, month: number): number {
  if (month === 2) return isLeap(year) ? 29 : 28;
  return [4, 6, 9, 11].includes(month) ? 30 : 31;
}

function isLeap(year: number): boolean {
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
}
