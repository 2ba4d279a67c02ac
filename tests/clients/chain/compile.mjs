// Compiles contracts/*.sol to the code that runs, contracts/*.hex: `npm run compile` in this folder. The same bytes on
// every machine, so that they can be committed and most tests need no compiler.
import { readFileSync, writeFileSync } from "node:fs";
import solc from "solc";

const folder = new URL("./contracts/", import.meta.url);
const sources = Object.fromEntries(
  ["Token", "Multicall3"].map((name) => [name, { content: readFileSync(new URL(`${name}.sol`, folder), "utf8") }]),
);
const input = {
  language: "Solidity",
  sources,
  settings: {
    evmVersion: "paris",
    optimizer: { enabled: true, runs: 200 },
    metadata: { bytecodeHash: "none", appendCBOR: false },
    outputSelection: { "*": { "*": ["evm.deployedBytecode.object"] } },
  },
};
const output = JSON.parse(solc.compile(JSON.stringify(input)));
const errors = (output.errors ?? []).filter((e) => e.severity === "error");
if (errors.length) {
  console.error(errors.map((e) => e.formattedMessage).join("\n"));
  process.exit(1);
}
for (const name of Object.keys(sources)) {
  const { object } = output.contracts[name][name].evm.deployedBytecode;
  writeFileSync(new URL(`${name}.hex`, folder), `${object}\n`);
}
