// The interface `tools` that the host calls. Nothing but declared failures leaves it: any other exception would end
// the instance, and tell the caller nothing.

import { waits } from '#host';
import { output } from './answer.js';
import { declared } from './failure.js';
import { listing } from './tool.js';

export function plugin(tools) {
  const byName = new Map(tools.map((tool) => [tool.name, tool]));
  if (byName.size === 0) throw new TypeError('a plugin has at least one tool');
  if (byName.size < tools.length) throw new TypeError('two tools have the same name');
  return {
    listTools: () => tools.map(listing),
    callTool: (name, argumentsJson, context) => call(byName.get(name), argumentsJson, context),
  };
}

function call(tool, argumentsJson, context) {
  let given;
  try {
    if (tool === undefined) throw new Error('this plugin has no tool of that name');
    given = tool.run(JSON.parse(argumentsJson), told(context));
    if (!isPromise(given)) return output(given);
    if (!waits) throw new TypeError('`run` gave a promise, which the engine "small" cannot wait for');
  } catch (thrown) {
    throw declared(thrown);
  }
  return answered(given);
}

async function answered(promise) {
  try {
    return output(await promise);
  } catch (thrown) {
    throw declared(thrown);
  }
}

function isPromise(given) {
  return typeof given?.then === 'function';
}

function told({ callId, remainingMs, caller }) {
  return Object.freeze({ callId, remainingMs, caller: caller ?? undefined });
}
