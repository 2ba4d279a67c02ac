// Writes agreements from templates: the tool and its answer.

import { plugin, tool } from '@coinop/plugin';
import { inWords, iso } from './dates.ts';
import { type Document, NOTICE, blanks, markdown } from './document.ts';
import { mutualNda } from './nda.ts';
import { INPUT, OUTPUT } from './schema.ts';
import { servicesAgreement } from './services.ts';
import { type Request, type Terms, ndaTerms, servicesTerms } from './terms.ts';
import { plain } from './words.ts';

export const contract = tool<Request>({
  name: 'generate_contract',
  title: 'Contract from a template',
  description:
    'Writes a complete agreement in English from a template: a mutual non-disclosure agreement, or a services agreement. '
    + 'Gives it as Markdown, with what is left to fill in before it is signed. The same arguments always give the same '
    + 'text. It is no legal advice.',
  input: INPUT,
  output: OUTPUT,
  price: '1.25 USD',
  effects: 'pure',
  run(request) {
    const [document, terms] = drafted(request);
    const text = markdown(document, terms);
    const missing = blanks(terms.parties);
    const structured = {
      kind: request.kind,
      title: document.title,
      effective_date: iso(terms.from),
      last_day: iso(terms.until),
      clauses: document.clauses.map(({ heading }, at) => ({ number: at + 1, heading })),
      blanks: missing,
      notice: NOTICE,
      markdown: text,
    };
    return [text, ...remaining(missing, terms), structured];
  },
});

function drafted(request: Request): [Document, Terms] {
  if (request.kind === 'mutual-nda') {
    const terms = ndaTerms(request);
    return [mutualNda(terms), terms];
  }
  const terms = servicesTerms(request);
  return [servicesAgreement(terms), terms];
}

/** Beside the agreement, not in it. */
function remaining(missing: string[], { until }: Terms): string[] {
  const ends = `The term ends on ${inWords(until)}.`;
  return [missing.length === 0 ? ends : `${ends} Still to fill in: ${missing.map(plain).join('; ')}.`];
}

export const tools = plugin([contract]);
