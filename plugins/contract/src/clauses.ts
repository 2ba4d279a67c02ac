// The clauses that both agreements have.

import type { Clause, Paragraph } from './document.ts';
import { inWords } from './dates.ts';
import type { Terms } from './terms.ts';
import { count } from './words.ts';

/** What confidential information is, and what a party that receives it does. */
export function confidentiality(purpose: string): Clause[] {
  return [
    {
      heading: 'Confidential Information',
      paragraphs: [
        '**Confidential Information** means all information that a Party or its Affiliates (the **Disclosing Party**) makes '
          + 'available to the other Party (the **Receiving Party**) in connection with this Agreement, in any form, on or '
          + 'after the Effective Date, and that is marked as confidential or that a reasonable person would understand to be '
          + 'confidential from its nature or from the circumstances of its disclosure. It includes technical and business '
          + 'information, software, data, designs, plans, prices, customers and suppliers, and the terms of this Agreement.',
        '**Affiliate** means an entity that controls a Party, is controlled by it, or is under common control with it.',
        {
          text: 'Confidential Information does not include information that the Receiving Party can show:',
          joined: 'or',
          items: [
            'was or becomes publicly available other than by a breach of this Agreement',
            'was lawfully known to it, free of any duty of confidence, before it was disclosed',
            'was lawfully received from a third party who was free to disclose it',
            'was developed by it independently, without use of the Confidential Information',
          ],
        },
      ],
    },
    {
      heading: 'Duties of the Receiving Party',
      paragraphs: [
        {
          text: 'The Receiving Party shall:',
          items: [
            `use the Confidential Information only for ${purpose}`,
            'keep it secret, and protect it with at least the care that it gives to its own confidential information of a '
              + 'similar kind, and in any case with no less than reasonable care',
            'disclose it only to those of its and its Affiliates\' employees, officers, contractors and professional advisers '
              + 'who need to know it for that purpose and who are bound by duties of confidence no less strict than these',
            'copy it only as far as that purpose requires',
            'tell the Disclosing Party without undue delay when it learns of any unauthorised use or disclosure, and help to '
              + 'limit it',
          ],
        },
        'The Receiving Party is liable for what those to whom it discloses Confidential Information do with it, as for its own '
          + 'acts.',
        'The Receiving Party may disclose Confidential Information as far as a law, a court or a competent authority requires '
          + 'it. Where the law allows, it shall first tell the Disclosing Party, so that the Disclosing Party may seek '
          + 'protection, and it shall disclose no more than is required.',
        'Nothing in this Agreement prevents a person from reporting a breach of law to a competent authority, or from making '
          + 'any other disclosure that the law protects.',
      ],
    },
  ];
}

/** What becomes of it afterwards. */
export function returned({ confidentialityMonths }: Terms): Paragraph[] {
  return [
    'When this Agreement ends, or earlier when the Disclosing Party asks in writing, the Receiving Party shall return or '
      + 'destroy the Confidential Information and its copies, and confirm in writing that it has done so. It may keep what '
      + 'the law requires it to keep, and copies in routine backups until these are overwritten; this Agreement continues to '
      + 'apply to what it keeps.',
    `The duties about Confidential Information continue for ${count(confidentialityMonths, 'month')} after this Agreement ends. `
      + 'For information that is a trade secret under applicable law, they continue for as long as it remains one.',
  ];
}

/** When it begins and ends of itself, and by notice. */
export function term({ until, termMonths, noticeDays }: Terms, early: Paragraph[]): Paragraph[] {
  return [
    `This Agreement begins on the Effective Date and continues for ${count(termMonths, 'month')}, until the end of `
      + `${inWords(until)}, unless it is ended earlier under this clause. The Parties may extend it in writing.`,
    `Either Party may end this Agreement at any time by notice in writing to the other, ${count(noticeDays, 'day')} in advance.`,
    ...early,
  ];
}

/** What stands at the end of both. */
export function general({ law, courts }: Terms): Clause[] {
  return [
    {
      heading: 'Notices',
      paragraphs: [
        'A notice under this Agreement shall be in writing and sent to the address or the e-mail address given for the Party '
          + 'above, or to another that the Party has notified. Everyday communication may take any form.',
        'A notice counts as received on delivery when it is handed over or sent by courier or recorded post, and on the next '
          + 'working day at the place of receipt when it is sent by e-mail, unless the sender learns that it did not arrive.',
      ],
    },
    {
      heading: 'Governing law and courts',
      paragraphs: [
        `This Agreement, and any dispute or claim arising out of or in connection with it, including one that is not `
          + `contractual, is governed by the laws of ${law}, without regard to rules that would lead to other laws.`,
        'The Parties shall first try to settle a dispute in good faith between persons with authority to settle it, within '
          + `${count(30, 'day')} of a notice that describes it.`,
        `After that, the courts of ${courts} have exclusive jurisdiction. Either Party may at any time ask any competent court `
          + 'for urgent interim relief.',
      ],
    },
    {
      heading: 'General',
      paragraphs: [
        '**Entire agreement.** This Agreement is the entire agreement of the Parties about its subject and replaces what they '
          + 'agreed about it before. Nothing in it limits liability for fraud.',
        '**Changes and waivers.** A change of this Agreement, and a waiver of a right under it, is effective only in writing '
          + 'and signed by the Party it binds. Delay in using a right is no waiver of it.',
        '**Assignment.** Neither Party may transfer this Agreement or rights under it without the prior written consent of the '
          + 'other, which shall not be withheld unreasonably, except as a whole to the successor to all or substantially all '
          + 'of the business to which it relates.',
        '**Severability.** Where a provision is invalid or cannot be enforced, the others remain in force, and the Parties '
          + 'shall replace it by a valid one that comes closest to its purpose.',
        '**No partnership.** Nothing in this Agreement makes a Party the partner, agent or employee of the other, and neither '
          + 'may bind the other.',
        '**Third parties.** Nobody but the Parties and their permitted successors may enforce this Agreement.',
        '**Signing.** This Agreement may be signed in counterparts and by electronic signature, which together are one '
          + 'document.',
      ],
    },
  ];
}
