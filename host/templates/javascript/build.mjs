// From src to build/{{name}}.wasm. The engine is the one that package.json names.

import { build } from './sdk/javascript/build.js';

await build();
