// Lint with the module boundaries. The boundary rule skips itself without Nx's project graph, so the graph is made first.
import { rmSync } from 'node:fs';
import path from 'node:path';
import { install, run, workspace } from './prepare.mjs';

await install();
const graph = path.join(workspace, '.nx', 'lint-graph.json');
const graphCode = await run('nx', ['graph', `--file=${graph}`], { quiet: true });
if (graphCode !== 0) process.exit(graphCode);
rmSync(graph, { force: true });
process.exit(await run('eslint', ['.', ...process.argv.slice(2)]));
