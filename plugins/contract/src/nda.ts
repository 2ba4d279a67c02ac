// The mutual non-disclosure agreement.

import { confidentiality, general, returned, term } from './clauses.ts';
import type { Document } from './document.ts';
import type { Terms } from './terms.ts';

export function mutualNda(terms: Terms): Document {
  return {
    title: 'Mutual Non-Disclosure Agreement',
    roles: ['Party', 'Party'],
    recitals: [
      `The Parties wish to share information with each other for the purpose of ${terms.purpose} (the **Purpose**).`,
      'Some of that information is confidential, and each Party shares it only because the other agrees to protect it.',
    ],
    clauses: [
      ...confidentiality('the Purpose'),
      {
        heading: 'No licence, no warranty, no duty to go on',
        paragraphs: [
          'Confidential Information remains the property of the Disclosing Party. This Agreement grants no licence or other '
            + 'right in it beyond its use for the Purpose.',
          'Each Party discloses what it chooses to. Confidential Information is given as it is, without any warranty that it '
            + 'is complete or accurate.',
          'Neither Party has to enter into any further agreement, and each remains free to work with others and to develop '
            + 'what competes with the other, as long as it keeps to this Agreement.',
        ],
      },
      {
        heading: 'Personal data',
        paragraphs: [
          'The Parties do not intend to share personal data beyond the business contact details of those who take part. Before '
            + 'a Party discloses any other, the Parties shall agree in writing on what applicable data protection law requires.',
        ],
      },
      { heading: 'Term and end', paragraphs: term(terms, []) },
      { heading: 'Return, and duties that continue', paragraphs: returned(terms) },
      {
        heading: 'Remedies',
        paragraphs: [
          'Damages alone may not be enough for a breach of this Agreement. The Disclosing Party may therefore ask a court to '
            + 'forbid a breach or its continuation, beside any other remedy.',
        ],
      },
      ...general(terms),
    ],
  };
}
