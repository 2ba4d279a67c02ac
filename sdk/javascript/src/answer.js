// From what a run gives to the host's output record.

import { Failure } from './failure.js';

class Media {
  constructor(kind, data, mimeType) {
    if (!(data instanceof Uint8Array)) throw new TypeError(`${kind}: the data is not a Uint8Array`);
    if (typeof mimeType !== 'string' || !mimeType.startsWith(`${kind}/`)) {
      throw new TypeError(`${kind}: the type is not one such as "${kind}/…"`);
    }
    Object.assign(this, { kind, data, mimeType });
  }
}

class Incorrect {
  constructor(answer) {
    this.answer = answer;
  }
}

export function image(data, mimeType) {
  return new Media('image', data, mimeType);
}

export function audio(data, mimeType) {
  return new Media('audio', data, mimeType);
}

export function incorrect(answer) {
  return new Incorrect(answer);
}

/** The output record. Throws where `given` is no answer, and a failure that was returned: the caller must not pay for it. */
export function output(given) {
  const isError = given instanceof Incorrect;
  const answer = isError ? given.answer : given;
  const parts = Array.isArray(answer) ? answer : [answer];
  if (parts.length === 0) throw new TypeError('`run` gave an empty array, which is no answer');
  const output = { content: [], structured: undefined, isError, meta: undefined };
  for (const part of parts) add(part, output);
  return output;
}

function add(part, output) {
  if (part instanceof Failure) throw part;
  if (typeof part === 'string') {
    output.content.push({ tag: 'text', val: part });
  } else if (part instanceof Media) {
    output.content.push({ tag: part.kind, val: { data: part.data, mimeType: part.mimeType } });
  } else {
    if (output.structured !== undefined) throw new TypeError('`run` gave more than one object');
    output.structured = json(part);
  }
}

function json(part) {
  const text = JSON.stringify(part, whole);
  // `toJSON` may make anything of an object.
  if (text === undefined || !text.startsWith('{')) {
    const what = part === null ? 'null' : Array.isArray(part) ? 'an array within an array' : typeof part;
    throw new TypeError(`\`run\` gave ${what}, which is no answer: give a string, an object, an image, or an array of such`);
  }
  return text;
}

/** A replacer that refuses what JSON would make `{}` or `null` of without a word. */
function whole(key, value) {
  const what = lost(value) ?? (value === null && this[key] instanceof Date ? 'a Date of no time' : undefined);
  if (what === undefined) return value;
  const where = key === '' ? '' : ` in ${JSON.stringify(key)}`;
  throw new TypeError(`\`run\` gave ${what}${where}, which JSON cannot say`);
}

function lost(value) {
  if (typeof value === 'number' && !Number.isFinite(value)) return String(value);
  if (value instanceof Media) return `${value.kind} data within the object, and not beside it in an array,`;
  if (value instanceof Incorrect) return '`incorrect` within the answer, and not around it,';
  if (value instanceof ArrayBuffer || ArrayBuffer.isView(value)) return 'bytes';
  const kind = [Error, Map, Set, Promise].find((kind) => value instanceof kind);
  return kind && `a value of the class ${kind.name}`;
}
