// Tells public holidays, which it asks a service for: outgoing HTTP by `fetch`, a setting, progress, a structured answer
// with its schema, and the ways to fail.

import { type Answer, plugin, progress, tool } from '@coinop/plugin';
import { type Holiday, holidaysOf } from './service.ts';

interface Question {
  country: string;
  year: number;
  nationwide?: boolean;
}

export const publicHolidays = tool<Question>({
  name: 'public_holidays',
  title: 'Public holidays',
  description: 'Lists the public holidays of a country in a year.',
  input: {
    type: 'object',
    properties: {
      country: { type: 'string', pattern: '^[A-Z]{2}$', description: 'An ISO 3166-1 code, such as DE.' },
      year: { type: 'integer', minimum: 1975, maximum: 2075 },
      nationwide: { type: 'boolean', description: 'Leave out those that only a part of the country has.', default: false },
    },
    required: ['country', 'year'],
    additionalProperties: false,
  },
  output: {
    type: 'object',
    properties: {
      holidays: {
        type: 'array',
        items: {
          type: 'object',
          properties: {
            date: { type: 'string' },
            name: { type: 'string' },
            localName: { type: 'string' },
            nationwide: { type: 'boolean' },
          },
          required: ['date', 'name', 'localName', 'nationwide'],
        },
      },
    },
    required: ['holidays'],
  },
  effects: 'idempotent',
  annotations: { readOnly: true, openWorld: true },
  async run({ country, year, nationwide = false }) {
    progress(0, 1, 'asking for the holidays');
    const all = await holidaysOf(country, year);
    return told(country, year, all.filter((holiday) => holiday.nationwide || !nationwide));
  },
});

export function told(country: string, year: number, holidays: Holiday[]): Answer {
  const count = `${holidays.length} public holiday${holidays.length === 1 ? '' : 's'}`;
  const lines = holidays.map(({ date, name, nationwide }) => `${date}  ${name}${nationwide ? '' : ' (regional)'}`);
  return [[`${country} has ${count} in ${year}:`, ...lines].join('\n'), { holidays }];
}

export const tools = plugin([publicHolidays]);
