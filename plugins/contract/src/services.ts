// The services agreement: a client, a provider, and what the one pays the other for.

import { confidentiality, general, returned, term } from './clauses.ts';
import type { Clause, Document, Paragraph } from './document.ts';
import type { Services } from './terms.ts';
import { amount, count } from './words.ts';

export function servicesAgreement(terms: Services): Document {
  return {
    title: 'Services Agreement',
    roles: ['Client', 'Provider'],
    recitals: [
      'The Client wishes to receive the services described in this Agreement, and the Provider has the skills to render them.',
    ],
    clauses: [
      services(terms),
      cooperation(terms),
      fees(terms),
      ownership(terms),
      ...confidentiality('performing or receiving the Services'),
      { heading: 'Return of information, and duties that continue', paragraphs: returned(terms) },
      personalData(),
      warranties(),
      liability(),
      { heading: 'Term and end', paragraphs: term(terms, early()) },
      ...general(terms),
    ],
  };
}

function services({ purpose, deliverables }: Services): Clause {
  const handedOver: Paragraph[] = deliverables.length === 0
    ? ['Whatever the Provider creates for the Client in rendering the Services is a **Deliverable**.']
    : [{ text: 'The Provider shall hand over these results of the Services (the **Deliverables**):', items: deliverables }];
  return {
    heading: 'Services',
    paragraphs: [
      `The Provider shall ${purpose} (the **Services**).`,
      ...handedOver,
      'The Provider shall render the Services with the skill and care of a competent professional in its field, through '
        + 'suitably qualified people, in accordance with applicable law. It decides on the manner and the means, and may use '
        + 'subcontractors, for whose acts it is liable as for its own.',
      'A change of the Services, of the Deliverables or of the fees binds the Parties when both have agreed to it in writing; '
        + 'e-mail is enough.',
    ],
  };
}

function cooperation({ deliverables }: Services): Clause {
  const accepted = deliverables.length === 0 ? 'A Deliverable' : 'Each Deliverable';
  return {
    heading: 'Cooperation and acceptance',
    paragraphs: [
      'The Client shall give the Provider, in time, the information, materials, access and decisions that the Services need. '
        + 'Dates shift by the delay that is caused where it does not.',
      `${accepted} is accepted when the Client says so in writing, when it puts the Deliverable to productive use, or when `
        + `${count(14, 'day')} have passed since it was handed over without a notice that describes how it departs from what `
        + 'was agreed.',
      'After such a notice the Provider shall correct the Deliverable without undue delay and at its own cost, and hand it '
        + 'over again.',
    ],
  };
}

function fees({ fees }: Services): Clause {
  const { basis, currency, maximum, payment_days: days } = fees;
  const sum = `${currency} ${amount(fees.amount)}`;
  const unit = { fixed: '', hourly: 'hour', daily: 'day', monthly: 'month' }[basis];
  const due = basis === 'fixed'
    ? `The Client shall pay the Provider a fixed fee of ${sum} for the Services.`
    : `The Client shall pay the Provider ${sum} for each ${unit} of Services rendered, and a part of it for a part of ${article(unit)} `
      + `${unit}.${maximum === undefined ? '' : ` The fees shall not exceed ${currency} ${amount(maximum)} in total without the `
      + "Client's prior consent in writing."}`;
  const invoiced = basis === 'fixed'
    ? 'The Provider shall invoice the fee when the Services are complete.'
    : 'The Provider shall invoice the fees monthly in arrears, with a record of the Services rendered.';
  return {
    heading: 'Fees and payment',
    paragraphs: [
      due,
      `${invoiced} Invoices are payable within ${count(days, 'day')} of their receipt. The Client may withhold only what it `
        + 'disputes in good faith and in writing, with its reasons.',
      fees.expenses
        ? 'The Client shall reimburse reasonable expenses that it has approved in writing beforehand, at cost and on receipts.'
        : 'The fees include all expenses of the Provider.',
      'Amounts are exclusive of value added, sales and similar taxes, which the Client pays in addition where they are due. '
        + 'Each Party bears the taxes on its own income.',
      'Late amounts bear interest at the statutory rate of the governing law from the day they are due. After a written '
        + `reminder and ${count(14, 'day')} without payment, the Provider may suspend the Services.`,
    ],
  };
}

function article(unit: string): string {
  return unit === 'hour' ? 'an' : 'a';
}

function ownership({ owner }: Services): Clause {
  const passing: Paragraph[] = owner === 'client'
    ? [
        'On payment in full for a Deliverable, all intellectual property rights in it pass to the Client, as far as the law '
          + 'allows; where it does not, the Client receives an exclusive, perpetual, worldwide, transferable licence to use it '
          + 'in every way. The Provider shall sign what is needed to record this.',
        'The Provider keeps its rights in what it had before or develops independently of this Agreement, including tools and '
          + 'general know-how. As far as a Deliverable contains any of it, the Client receives a non-exclusive, perpetual, '
          + 'worldwide licence to use it as part of that Deliverable, transferable with it.',
      ]
    : [
        'The Provider keeps all intellectual property rights in the Deliverables.',
        'On payment in full for a Deliverable, the Client receives a non-exclusive, perpetual, worldwide licence to use, copy '
          + 'and adapt it for its own business and that of its Affiliates.',
      ];
  return {
    heading: 'Intellectual property',
    paragraphs: [
      ...passing,
      'The Client keeps all rights in the materials that it provides. The Provider may use them for the Services alone.',
      'The Provider shall tell the Client before a Deliverable includes third-party or open source material, and under which '
        + 'terms; those terms then apply to that material.',
    ],
  };
}

function personalData(): Clause {
  return {
    heading: 'Personal data',
    paragraphs: [
      'Each Party shall comply with the data protection law that applies to it. Where the Provider is to process personal '
        + 'data on behalf of the Client, the Parties shall first agree in writing on what that law requires.',
    ],
  };
}

function warranties(): Clause {
  return {
    heading: 'Warranties',
    paragraphs: [
      'Each Party warrants that it may enter into this Agreement, and that doing so breaches no other agreement of its own.',
      'The Provider warrants that to its knowledge the Deliverables, as handed over and used as agreed, infringe no rights of '
        + 'third parties. Where a third party claims otherwise, the Provider shall at its own cost obtain the right of use, '
        + 'change the Deliverable so that it no longer infringes, or, where neither is reasonable, refund what was paid for it.',
      'As far as the law allows, the warranties of this Agreement are the only ones.',
    ],
  };
}

function liability(): Clause {
  return {
    heading: 'Liability',
    paragraphs: [
      {
        text: 'Nothing in this Agreement limits or excludes liability for:',
        joined: 'or',
        items: [
          'death or personal injury caused by negligence',
          'fraud, wilful misconduct or gross negligence',
          'anything else for which the law allows no limit',
        ],
      },
      'Subject to that, neither Party is liable for loss of profit, of business or of data, or for indirect or consequential '
        + 'loss.',
      'Subject to the first paragraph, the total liability of each Party in connection with this Agreement is limited to the '
        + 'fees paid and payable under it in the twelve (12) months before the event that gave rise to the claim. This limit '
        + 'applies neither to the duty to pay fees nor to a breach of the duties about Confidential Information.',
      'Neither Party is liable for delay or failure caused by events beyond its reasonable control, for as long as they last. '
        + `Where they last more than ${count(60, 'day')}, either Party may end this Agreement by notice.`,
    ],
  };
}

function early(): Paragraph[] {
  return [
    'Either Party may end this Agreement at once by notice in writing when the other commits a material breach and, where it '
      + `can be remedied, does not remedy it within ${count(30, 'day')} of a notice that describes it, or when the other `
      + 'becomes insolvent or ceases its business, as far as the law allows.',
    'When this Agreement ends, the Client shall pay for the Services rendered until then, and the Provider shall hand over '
      + 'what is paid for in the state it is in. For a fixed fee, that is the part of it that corresponds to the work done.',
    'What by its nature is meant to outlast this Agreement remains in force, in particular the clauses on payment, '
      + 'intellectual property, Confidential Information, liability, governing law and courts.',
  ];
}
