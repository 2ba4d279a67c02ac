// From src to build/contract.wasm, types checked. The engine is the one that package.json names. With `test`, from test
// to build/test, for `node --test`.

import { build, buildTests } from '../../sdk/javascript/build.js';

await (process.argv[2] === 'test' ? buildTests() : build());
