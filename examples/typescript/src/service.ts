// The service that knows the holidays: https://date.nager.at/Api.

import { Failure, requiredSetting } from '@coinop/plugin';

/** One holiday. */
export interface Holiday {
  /** Such as 2027-01-01. */
  date: string;
  name: string;
  localName: string;
  /** In the whole country. */
  nationwide: boolean;
}

/** The public holidays of a year, in their order. */
export async function holidaysOf(country: string, year: number): Promise<Holiday[]> {
  const baseUrl = requiredSetting('base_url').replace(/\/$/, '');
  const response = await fetch(`${baseUrl}/PublicHolidays/${year}/${country}`, { headers: { accept: 'application/json' } });
  // It answers 204 to a country that is none.
  if (response.status === 404 || response.status === 204) throw Failure.invalid(`the service knows no country ${country}`);
  if (response.status === 429 || response.status >= 500) throw Failure.unavailable(`the service answers ${response.status}`);
  if (!response.ok) throw new Failure(`the service answers ${response.status}`);
  return holidays(await response.json());
}

/** What the service gave, as far as it is what was promised. */
export function holidays(given: unknown): Holiday[] {
  if (!Array.isArray(given)) throw new TypeError('the service gave no list');
  return given.map((entry) => {
    const { date, name, localName, global } = entry ?? {};
    if (typeof date !== 'string' || typeof name !== 'string') throw new TypeError('the service gave no holiday');
    return { date, name, localName: typeof localName === 'string' ? localName : name, nationwide: global === true };
  });
}
