// From src to build/barcode.wasm.

import { build } from '../../sdk/javascript/build.js';

await build();
