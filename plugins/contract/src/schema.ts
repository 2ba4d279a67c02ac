// What callers say and get, as JSON Schema.

import type { Schema } from '@coinop/plugin';

function line(description: string, maxLength: number) {
  return { type: 'string', minLength: 1, maxLength, description };
}

function whole(description: string, minimum: number, maximum: number) {
  return { type: 'integer', minimum, maximum, description };
}

const party = {
  type: 'object',
  properties: {
    name: line('Its full legal name.', 200),
    form: line('What it is, such as "a Delaware corporation" or "an individual".', 200),
    address: line('Its registered or postal address.', 400),
    email: line('Where notices reach it.', 200),
    signatory: line('Who signs.', 200),
    signatory_title: line('As what, such as "Managing Director".', 200),
  },
  required: ['name'],
  additionalProperties: false,
};

const fees = {
  type: 'object',
  description: 'Services agreement only, and needed there: what the client pays.',
  properties: {
    basis: { enum: ['fixed', 'hourly', 'daily', 'monthly'], description: 'For the whole, or for each hour, day or month.' },
    amount: { type: 'string', pattern: '^[0-9]{1,12}(\\.[0-9]{1,2})?$', description: 'Such as "12500.00".' },
    currency: { type: 'string', pattern: '^[A-Z]{3}$', description: 'An ISO 4217 code.' },
    maximum: { type: 'string', pattern: '^[0-9]{1,12}(\\.[0-9]{1,2})?$', description: 'Fees that are not fixed end here.' },
    payment_days: { ...whole('Days to pay an invoice.', 1, 120), default: 30 },
    expenses: { type: 'boolean', description: 'The client also reimburses approved expenses.', default: false },
  },
  required: ['basis', 'amount', 'currency'],
  additionalProperties: false,
};

export const INPUT: Schema = {
  type: 'object',
  properties: {
    kind: { enum: ['mutual-nda', 'services'], description: 'A mutual non-disclosure agreement, or a services agreement.' },
    parties: {
      type: 'array',
      items: party,
      minItems: 2,
      maxItems: 2,
      description: 'Both. Of a services agreement the first is the client, the second the provider.',
    },
    effective_date: { type: 'string', pattern: '^[12][0-9]{3}-[0-9]{2}-[0-9]{2}$', description: 'From when it binds, such as 2027-01-31.' },
    purpose: line(
      'Mutual NDA: why information is shared, after "for the purpose of", such as "evaluating a joint product". '
        + 'Services: what the provider does, after "the Provider shall", such as "design and build the website".',
      2000,
    ),
    deliverables: {
      type: 'array',
      items: line('One thing that is handed over.', 500),
      maxItems: 30,
      description: 'Services agreement only.',
    },
    fees,
    term_months: whole('How long it lasts. Unless given: 24 for an NDA, 12 for services.', 1, 120),
    notice_days: { ...whole('Days of notice to end it early.', 1, 365), default: 30 },
    confidentiality_months: { ...whole('How long confidentiality outlasts the agreement.', 1, 240), default: 36 },
    intellectual_property: {
      enum: ['client', 'provider'],
      description: 'Services agreement only: who owns the deliverables once they are paid.',
      default: 'client',
    },
    governing_law: line('After "the laws of", such as "the State of New York" or "England and Wales".', 200),
    courts: line('After "the courts of", where they are not those of the governing law.', 200),
  },
  required: ['kind', 'parties', 'effective_date', 'purpose', 'governing_law'],
  additionalProperties: false,
};

const clause = {
  type: 'object',
  properties: { number: { type: 'integer' }, heading: { type: 'string' } },
  required: ['number', 'heading'],
};

export const OUTPUT: Schema = {
  type: 'object',
  properties: {
    kind: { type: 'string' },
    title: { type: 'string' },
    effective_date: { type: 'string' },
    last_day: { type: 'string', description: 'Of its term.' },
    clauses: { type: 'array', items: clause },
    blanks: { type: 'array', items: { type: 'string' }, description: 'What is left to fill in before it is signed.' },
    notice: { type: 'string' },
    markdown: { type: 'string', description: 'The whole agreement.' },
  },
  required: ['kind', 'title', 'effective_date', 'last_day', 'clauses', 'blanks', 'notice', 'markdown'],
};
