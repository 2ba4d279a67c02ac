// What was asked for, made whole: defaults taken, contradictions refused, words made plain.

import { Failure } from '@coinop/plugin';
import { type Day, lastDay, parseDay } from './dates.ts';
import { line, phrase, plain } from './words.ts';

/** As the schema lets it through. */
export interface Request {
  kind: 'mutual-nda' | 'services';
  parties: [RequestedParty, RequestedParty];
  effective_date: string;
  purpose: string;
  deliverables?: string[];
  fees?: RequestedFees;
  term_months?: number;
  notice_days?: number;
  confidentiality_months?: number;
  intellectual_property?: 'client' | 'provider';
  governing_law: string;
  courts?: string;
}

interface RequestedParty {
  name: string;
  form?: string;
  address?: string;
  email?: string;
  signatory?: string;
  signatory_title?: string;
}

interface RequestedFees {
  basis: 'fixed' | 'hourly' | 'daily' | 'monthly';
  amount: string;
  currency: string;
  maximum?: string;
  payment_days?: number;
  expenses?: boolean;
}

/** A party, in words that can stand in Markdown. What is missing is left out. */
export interface Party {
  /** Its name where nothing is Markdown. */
  called: string;
  name: string;
  form?: string;
  address?: string;
  email?: string;
  signatory?: string;
  signatoryTitle?: string;
}

/** What both kinds have. */
export interface Terms {
  parties: [Party, Party];
  from: Day;
  until: Day;
  termMonths: number;
  purpose: string;
  noticeDays: number;
  confidentialityMonths: number;
  law: string;
  courts: string;
}

/** What a services agreement has besides. */
export interface Services extends Terms {
  deliverables: string[];
  fees: Required<Omit<RequestedFees, 'maximum'>> & { maximum: string | undefined };
  owner: 'client' | 'provider';
}

const NDA_MONTHS = 24;
const SERVICES_MONTHS = 12;
const SERVICES_ONLY = ['deliverables', 'fees', 'intellectual_property'] as const;

export function ndaTerms(request: Request): Terms {
  const stray = SERVICES_ONLY.find((key) => request[key] !== undefined);
  if (stray !== undefined) throw Failure.invalid(`\`${stray}\` belongs to a services agreement, and \`kind\` is mutual-nda`);
  return terms(request, NDA_MONTHS);
}

export function servicesTerms(request: Request): Services {
  if (request.fees === undefined) throw Failure.invalid('a services agreement needs `fees`');
  const { basis, amount, currency, maximum, payment_days = 30, expenses = false } = request.fees;
  if (isZero(amount)) throw Failure.invalid('`fees.amount` is zero');
  if (maximum !== undefined && basis === 'fixed') throw Failure.invalid('`fees.maximum` says nothing where the fee is fixed');
  if (maximum !== undefined && hundredths(maximum) < hundredths(amount)) {
    throw Failure.invalid('`fees.maximum` is less than `fees.amount`');
  }
  return {
    ...terms(request, SERVICES_MONTHS),
    deliverables: (request.deliverables ?? []).map((text) => worded(text, 'deliverables', phrase)),
    fees: { basis, amount, currency, maximum, payment_days, expenses },
    owner: request.intellectual_property ?? 'client',
  };
}

function terms(request: Request, defaultMonths: number): Terms {
  const from = parseDay(request.effective_date, 'effective_date');
  const termMonths = request.term_months ?? defaultMonths;
  const parties = request.parties.map(party) as [Party, Party];
  const [first, second] = parties.map(({ name }) => name.toLowerCase());
  if (first === second) throw Failure.invalid('`parties` are the same: an agreement takes two');
  const law = worded(request.governing_law, 'governing_law', phrase);
  return {
    parties,
    from,
    until: lastDay(from, termMonths),
    termMonths,
    purpose: worded(request.purpose, 'purpose', phrase),
    noticeDays: request.notice_days ?? 30,
    confidentialityMonths: request.confidentiality_months ?? 36,
    law,
    courts: request.courts === undefined ? law : worded(request.courts, 'courts', phrase),
  };
}

function party(requested: RequestedParty): Party {
  const { name, form, address, email, signatory, signatory_title } = requested;
  const optional = (text: string | undefined, key: string) => (text === undefined ? {} : { [key]: worded(text, `parties.${key}`) });
  return {
    called: line(name),
    name: worded(name, 'parties.name'),
    ...optional(form, 'form'),
    ...optional(address, 'address'),
    ...optional(email, 'email'),
    ...optional(signatory, 'signatory'),
    ...optional(signatory_title, 'signatoryTitle'),
  };
}

function worded(text: string, name: string, make: (text: string) => string = plain): string {
  const words = make(text);
  if (!/[\p{L}\p{N}]/u.test(words)) throw Failure.invalid(`\`${name}\` has no words`);
  return words;
}

function isZero(decimal: string): boolean {
  return !/[1-9]/.test(decimal);
}

/** Money is compared exactly. */
function hundredths(decimal: string): bigint {
  const [whole, part = ''] = decimal.split('.') as [string, string?];
  return BigInt(whole + part.padEnd(2, '0'));
}
