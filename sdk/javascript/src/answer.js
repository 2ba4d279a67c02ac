// From what a run gives to the host's output record.

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

/** The output record. Throws where `given` is no answer: the caller must not pay for it. */
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
  const text = JSON.stringify(part);
  // `toJSON` may make anything of an object.
  if (text === undefined || !text.startsWith('{')) {
    const what = part === null ? 'null' : Array.isArray(part) ? 'an array within an array' : typeof part;
    throw new TypeError(`\`run\` gave ${what}, which is no answer: give a string, an object, an image, or an array of such`);
  }
  return text;
}
