// Requests that the tests change in one respect each.

import type { Request } from '../src/terms.ts';

export const NDA: Request = {
  kind: 'mutual-nda',
  parties: [
    {
      name: 'Acme Inc.',
      form: 'a Delaware corporation',
      address: '1 Main Street, Wilmington',
      email: 'legal@acme.example',
      signatory: 'Ada Park',
      signatory_title: 'Chief Executive Officer',
    },
    { name: 'Bolt Ltd' },
  ],
  effective_date: '2027-03-01',
  purpose: 'evaluating a joint product.',
  governing_law: 'the State of New York',
};

export const SERVICES: Request = {
  ...NDA,
  kind: 'services',
  purpose: 'design and build the website',
  deliverables: ['a design', 'a website.'],
  fees: { basis: 'fixed', amount: '12500', currency: 'USD' },
};
