// A document of numbered clauses, and how it is written as Markdown.

import { inWords } from './dates.ts';
import type { Party, Terms } from './terms.ts';

/** A paragraph of a clause, with what it lists. */
export type Paragraph = string | { text: string; items: string[]; joined?: 'and' | 'or' };

export interface Clause {
  heading: string;
  paragraphs: Paragraph[];
}

export interface Document {
  title: string;
  /** What each party is called in it; the same word for both where they stand alike. */
  roles: [string, string];
  recitals: string[];
  clauses: Clause[];
}

export const NOTICE =
  'Made from a template out of the particulars given. It is no legal advice, and nobody has checked that it suits the '
  + 'parties, the facts or the law that governs it. Have it reviewed by a qualified lawyer before anybody signs.';

const LETTERS = 'abcdefghijklmnopqrstuvwxyzABCD';

/** The whole of it, notice and signatures included. */
export function markdown(document: Document, terms: Terms): string {
  return [
    `# ${document.title}`,
    `> **Not legal advice.** ${NOTICE}`,
    `This Agreement takes effect on ${inWords(terms.from)} (the **Effective Date**) between:`,
    terms.parties.map((party, at) => `${at + 1}. ${introduced(party, at, document.roles[at]!)}`).join('\n'),
    'Each is a **Party**, and together they are the **Parties**.',
    '## Background',
    document.recitals.map((text, at) => `(${LETTERS[at]!.toUpperCase()}) ${text}`).join('\n\n'),
    'The Parties therefore agree as follows.',
    ...document.clauses.map((clause, at) => written(clause, at + 1)),
    '## Signatures',
    'Signed by the Parties, through their authorised representatives, with effect from the Effective Date.',
    ...terms.parties.map((party) => signature(party)),
  ].join('\n\n') + '\n';
}

/** What is left to fill in, in no Markdown. */
export function blanks(parties: [Party, Party]): string[] {
  return parties.flatMap((party) => {
    const missing = [
      party.form === undefined && 'legal form',
      party.address === undefined && 'address',
      party.email === undefined && 'e-mail address for notices',
      party.signatory === undefined && 'who signs',
      party.signatoryTitle === undefined && "the signatory's title",
    ];
    return missing.filter((what) => what !== false).map((what) => `${party.called}: ${what}`);
  });
}

function introduced({ name, form, address, email }: Party, at: number, role: string): string {
  const called = role === 'Party' ? `the **${at === 0 ? 'First' : 'Second'} Party**` : `the **${role}**`;
  const reached = `e-mail address for notices ${email ?? '\\[e-mail\\]'}`;
  return `**${name}**, ${form ?? '\\[legal form\\]'}, of ${address ?? '\\[address\\]'}, ${reached} (${called}).`;
}

function written({ heading, paragraphs }: Clause, number: number): string {
  const numbered = paragraphs.map((paragraph, at) => {
    const label = `**${number}.${at + 1}**`;
    if (typeof paragraph === 'string') return `${label} ${paragraph}`;
    const { text, items: listed, joined = 'and' } = paragraph;
    const last = listed.length - 1;
    const items = listed.map((item, at) => {
      const end = at === last ? '.' : at === last - 1 ? `; ${joined}` : ';';
      return `- (${LETTERS[at]}) ${item}${end}`;
    });
    return `${label} ${text}\n\n${items.join('\n')}`;
  });
  return [`## ${number}. ${heading}`, ...numbered].join('\n\n');
}

function signature({ name, signatory, signatoryTitle }: Party): string {
  const lines = [
    `**${name}**`,
    'Signature: \\_\\_\\_\\_\\_\\_\\_\\_\\_\\_\\_\\_\\_\\_\\_\\_\\_\\_\\_\\_',
    `Name: ${signatory ?? '\\[name\\]'}`,
    `Title: ${signatoryTitle ?? '\\[title\\]'}`,
    'Date: \\_\\_\\_\\_\\_\\_\\_\\_\\_\\_',
  ];
  return lines.join('  \n');
}
