// `npm start`: from a fresh clone to a running platform that shows its main job.
import { build, install, run } from './prepare.mjs';

await install();
console.log('Building …');
await build();
process.exit(await run('node', ['apps/cli/bin/catena.mjs', 'quickstart', ...process.argv.slice(2)]));
