// What the host gives to a run.

import { get, report } from '#host';
import { Failure } from './failure.js';

export function progress(done, total, message) {
  report(done, total, message);
}

export function setting(key) {
  // Engines differ in what stands for none.
  return get(key) ?? undefined;
}

export function requiredSetting(key) {
  const value = setting(key);
  if (value === undefined) throw new Failure(`the operator has not set \`${key}\``);
  return value;
}
