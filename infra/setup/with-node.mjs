// Runs a program of the workspace with the project's own node: `node infra/setup/with-node.mjs <program> [arguments]`.
import { install, run } from './prepare.mjs';

const [program, ...args] = process.argv.slice(2);
await install();
process.exit(await run(program, args));
