// Failures: what a run throws, and the value that the host takes for it.

import { log } from '#host';

export class Failure extends Error {
  constructor(message) {
    super(message);
    this.name = 'Failure';
    this.kind = 'failed';
  }

  static invalid(message) {
    return of('invalid-arguments', message);
  }

  static unavailable(message, retryAfterMs) {
    return Object.assign(of('unavailable', message), { retryAfterMs });
  }

  static denied(message) {
    return of('denied', message);
  }

  static timedOut(message) {
    return of('timed-out', message);
  }

  static unsupported(message) {
    return of('unsupported', message);
  }
}

function of(kind, message) {
  return Object.assign(new Failure(message), { kind });
}

/** The host's value for whatever was thrown. What was not meant for the caller goes to the log with its stack. */
export function declared(thrown) {
  if (thrown instanceof Failure) {
    const { kind, message, retryAfterMs } = thrown;
    const val = kind === 'unavailable' ? { message, retryAfterMs } : message;
    return { tag: kind, val };
  }
  const words = inWords(thrown);
  log(withStack(words, thrown));
  return { tag: 'failed', val: words };
}

function inWords(thrown) {
  try {
    if (!(thrown instanceof Error)) return `thrown: ${String(thrown)}`;
    const message = String(thrown.message);
    return message === '' ? String(thrown.name) : `${thrown.name}: ${message}`;
  } catch {
    // A getter or `toString` of its own threw in turn.
    return 'thrown: something without words';
  }
}

/** Engines differ: in some the stack begins with the words, in some it is the frames alone. */
function withStack(words, thrown) {
  try {
    const stack = thrown instanceof Error ? String(thrown.stack ?? '').trimEnd() : '';
    if (stack.startsWith(words)) return stack;
    return stack === '' ? words : `${words}\n${stack}`;
  } catch {
    return words;
  }
}
