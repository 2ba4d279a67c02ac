// A user of a published MCP client who calls a tool that costs something, and pays or declines. See ../README.md.
//
// usage: buyer.mjs CLIENT ERA SHOWS BEHAVIOURS TOOL TEXT http URL
//        buyer.mjs CLIENT ERA SHOWS BEHAVIOURS TOOL TEXT stdio COMMAND [ARGUMENT...]
//
// CLIENT is client or sdk, ERA legacy or modern. SHOWS is what the client shows its user, separated by commas: links,
// forms, progress, lists; or nothing. BEHAVIOURS is what the user does, one call each: pay, decline. The tool takes
// TEXT, followed by the behaviour, as its argument `text`. Prints one line of JSON.

import { setTimeout as sleep } from 'node:timers/promises';
import { SIDES } from './sides.mjs';

const LINK = /https?:\/\/\S+\/pay\/[A-Za-z0-9_]+/;
const CALL_NEXT = /call (\S+) with (\{.*?\})/;
const CALL_AGAIN = /call (\S+) again with the same arguments and (\S+) set to "([^"]+)"/;
// A user who consents to open a link pays a moment later.
const HESITATION_MS = 300;
// A list change follows its cause.
const CHANGE_MS = 5000;
// Being asked more often than this is a fault.
const CALLS_MAX = 6;

/** One user at one client. */
class Buyer {
  constructor(side, shows) {
    this.side = side;
    this.shows = shows;
    side.onForm = (message) => this.onForm(message);
    side.onLink = (link) => this.onLink(link);
    side.onProgress = (message) => this.onProgress(message);
  }

  /** Calls the tool and does what the answers say, until there is nothing left to do. */
  async buy(tool, text, behaviour) {
    Object.assign(this, { behaviour, ways: [], links: [], acted: undefined });
    if (this.shows.has('lists')) await this.side.tools();
    const first = [tool, { text }];
    const calls = [first];
    let answer = await this.side.call(...first);
    for (let next; (next = await this.follow(first, answer)) !== undefined; ) {
      if (calls.length === CALLS_MAX) throw new Error(`still asked after ${CALLS_MAX} calls: ${JSON.stringify(answer)}`);
      calls.push(next);
      answer = await this.side.call(...next);
      if (behaviour === 'decline') break;
    }
    const seen = { behaviour, ways: this.ways, links: this.links, text: answer.text, error: answer.error };
    // Whoever redeems it again is given the same.
    if (calls.at(-1) !== first && behaviour === 'pay') seen.again = (await this.side.call(...calls.at(-1))).text;
    if (this.shows.has('lists')) seen.tools = await this.side.tools();
    await this.acted;
    return seen;
  }

  /** What to call next, if the answer asks for a payment. */
  async follow(first, answer) {
    if (answer.urlRequired !== undefined) {
      this.asked('error', answer.urlRequired);
      await this.act();
      return this.behaviour === 'pay' ? first : undefined;
    }
    if (answer.payment === undefined) return undefined;
    this.inText(answer);
    if (this.ways.length === 0) this.asked((await this.wayOfList(first[0])) ?? 'text', answer.payment.payment_url);
    await this.act();
    return this.nextStep(answer.payment.next_step, first[1]);
  }

  nextStep(step, args) {
    const again = CALL_AGAIN.exec(step);
    if (again) return [again[1], { ...args, [again[2]]: again[3] }];
    const call = CALL_NEXT.exec(step);
    if (call) return [call[1], JSON.parse(call[2])];
    throw new Error(`no next step in ${step}`);
  }

  /** Models see nothing but the text. */
  inText({ text, payment }) {
    for (const key of ['payment_url', 'payment_id', 'amount', 'next_step']) {
      if (!text.includes(payment[key])) throw new Error(`the text lacks the ${key}: ${text}`);
    }
  }

  /** `list`, when the list now has the tool's confirmation in its place. */
  async wayOfList(tool) {
    if (!this.shows.has('lists') || !(await this.side.changed(CHANGE_MS))) return undefined;
    const tools = await this.side.tools();
    return !tools.includes(tool) && tools.includes(`confirm_${tool}`) ? 'list' : undefined;
  }

  asked(way, link) {
    this.ways.push(way);
    if (!this.links.includes(link)) this.links.push(link);
  }

  async onForm(message) {
    this.asked('form', linkIn(message));
    if (this.behaviour === 'decline') return false;
    await this.act();
    return true;
  }

  async onLink(link) {
    this.asked('link', link);
    if (this.behaviour === 'decline') return false;
    void this.act(HESITATION_MS);
    return true;
  }

  onProgress(message) {
    if (!LINK.test(message) || this.ways.includes('progress')) return;
    this.asked('progress', linkIn(message));
    void this.act();
  }

  /** Opens the link and presses the button, once. */
  act(afterMs = 0) {
    const button = this.behaviour === 'pay' ? 'pay' : 'decline';
    this.acted ??= sleep(afterMs).then(() => press(this.links.at(-1), button));
    return this.acted;
  }
}

function linkIn(message) {
  const found = LINK.exec(message);
  if (!found) throw new Error(`no link in ${message}`);
  return found[0];
}

/** Submits the page's form, as a browser does. */
async function press(link, button) {
  const page = await (await fetch(link)).text();
  const actions = [...page.matchAll(/<form[^>]*action="([^"]+)"/g)].map((found) => found[1]);
  const action = actions.find((found) => found.endsWith(button));
  if (action === undefined) throw new Error(`no button to ${button} on ${link}`);
  const answer = await fetch(new URL(action, link), { method: 'POST', headers: { Origin: new URL(link).origin } });
  if (!answer.ok) throw new Error(`${button} answered ${answer.status}`);
}

const [client, era, shown, behaviours, tool, text, transport, ...target] = process.argv.slice(2);
const shows = new Set(shown.split(','));
const side = new SIDES[client](era, shows, transport, target);
await side.connect();
const buyer = new Buyer(side, shows);
const visits = [];
for (const behaviour of behaviours.split(',')) visits.push(await buyer.buy(tool, `${text} ${behaviour}`, behaviour));
process.stdout.write(`${JSON.stringify({ client: side.version, protocol: side.protocol, visits })}\n`);
await side.close();
