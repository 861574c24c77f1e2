// `npm run agents:install`: the real agents that the tests drive, at the versions of scripts/agents/package-lock.json.
import {chmodSync, existsSync, mkdirSync, rmSync, symlinkSync} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import {fileURLToPath} from 'node:url';
import {bootstrap, install, root} from './bootstrap.mjs';

const folder = path.join(root, 'scripts', 'agents');
const platform = `${process.platform}-${process.arch}`;

/** Their programs, below node_modules: what their own install scripts would link, without running those. */
const programs = {
	claude: `@anthropic-ai/claude-code-${platform}/claude`,
	codex: '@openai/codex/bin/codex.js',
	gemini: '@google/gemini-cli/bundle/gemini.js',
	opencode: `opencode-${platform}/bin/opencode`,
	copilot: `@github/copilot-${platform}/copilot`,
};

/** @returns the folder to put on the search path; throws where the registry does not have them */
export function installAgents() {
	const {node} = bootstrap();
	install(node, folder);
	const bin = path.join(folder, 'bin');
	rmSync(bin, {recursive: true, force: true});
	mkdirSync(bin);
	for (const [name, file] of Object.entries(programs)) {
		const target = path.join(folder, 'node_modules', file);
		if (existsSync(target)) {
			chmodSync(target, 0o755);
			symlinkSync(target, path.join(bin, name));
		}
	}

	return bin;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
	process.stdout.write(`${installAgents()}\n`);
}
