import {personOf} from './core/actor.ts';
import path from 'node:path';
import process from 'node:process';
import {fileURLToPath} from 'node:url';
import {agents} from './agents/registry.ts';
import type {Availability} from './core/seams.ts';
import type {Context} from './engine/context.ts';
import {passphraseVariable} from './core/names.ts';
import {personRefusal} from './core/refusal.ts';
import {local} from './executors/local/index.ts';
import {findPaths} from './host/paths.ts';
import {loginName} from './host/person.ts';
import {sandboxes} from './sandboxes/registry.ts';
import {toolchains} from './toolchains/registry.ts';
import {age} from './vaults/age/index.ts';
import {keyring} from './vaults/keyring/index.ts';

/* The one file that joins the engine to the adapters. */

/** The folder of the built programs: this file is bundled into it. */
const here = path.dirname(fileURLToPath(import.meta.url));
const built = path.basename(here) === 'dist' ? here : path.join(here, '..', 'dist');

/** What agents are called, in the order they are shown. */
export const agentNames: readonly string[] = agents.map(({id}) => id);

/** Where projects tell agents what to do: see `Agent.instructions`. */
export const agentInstructions: readonly string[] = agents.flatMap(({instructions}) => instructions);

/** Which sandboxes work here; nothing of fleet's own is made for that. */
export function probeSandboxes(): Promise<Availability[]> {
	return Promise.all(sandboxes.map(sandbox => sandbox.probe()));
}

async function nobody(): Promise<never> {
	throw personRefusal(
		'a passphrase or a value has to be typed, and there is nobody to ask',
		`run it in a terminal, or set ${passphraseVariable} for the vault file`,
	);
}

/**
 * @param ask asks a person for what is not shown; without one, nothing that needs asking works
 * @throws Refusal where fleet's own folders cannot be used
 */
export function compose(ask: (question: string) => Promise<string> = nobody): Context {
	const paths = findPaths();
	return {
		paths,
		sandboxes,
		agents,
		toolchains,
		vaults: [keyring, age(path.join(paths.config, 'vault.age'), ask)],
		executor: local,
		ask,
		actor: personOf(loginName()),
		// One for each run: small before fast.
		supervisor: [
			process.execPath,
			'--disable-warning=ExperimentalWarning',
			'--max-semi-space-size=1',
			'--optimize-for-size',
			path.join(built, 'supervisor.js'),
		],
		probe: path.join(built, 'probe.js'),
	};
}
