// Prices in words.

/** The host's price for `'0.05 USD'` or `'free'`; none for none. */
export function price(words) {
  if (words === undefined) return undefined;
  if (words === 'free') return { tag: 'free' };
  const found = /^(\d+(?:\.\d{1,9})?) ([A-Z][A-Z0-9]{2,})$/.exec(words);
  if (found === null) throw new TypeError(`price ${JSON.stringify(words)} is not one such as '0.05 USD' or 'free'`);
  const [, amount, currency] = found;
  if (!/[1-9]/.test(amount)) throw new TypeError("a price of zero is said as 'free'");
  return { tag: 'per-call', val: { amount, currency } };
}
