// What tools are made of. Types and meanings are in index.d.ts.

export { audio, image, incorrect } from './src/answer.js';
export { Failure } from './src/failure.js';
export { plugin } from './src/plugin.js';
export { progress, requiredSetting, setting } from './src/host.js';
export { tool } from './src/tool.js';
