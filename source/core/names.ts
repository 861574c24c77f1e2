import {eachControl} from './text/controls.ts';
import {markHidden} from './text/hidden.ts';
import {Refusal} from './refusal.ts';

const grammar = /^[a-z0-9](?:[a-z0-9-]{0,59}[a-z0-9])?$/;

/**
 * Run names, run ids and project ids share one grammar, so that none can be a flag, a path or a ref of another shape.
 */
export function isName(text: string): boolean {
	return grammar.test(text);
}

/** @param what the noun for the error line, such as "run name" */
export function parseName(text: string, what: string): string | Refusal {
	return isName(text)
		? text
		: new Refusal(
				`"${printable(text)}" is not a ${what}`,
				'use lower-case letters, digits and dashes, at most 61, not starting or ending with a dash',
			);
}

/** Makes a name out of any text, such as a prompt or a folder; `fallback` where nothing is left. */
export function nameFrom(text: string, fallback: string, limit = 30): string {
	const slug = text
		.normalize('NFKD')
		.toLowerCase()
		.replaceAll(/[^a-z0-9]+/g, '-')
		.slice(0, limit)
		.replaceAll(/^-+|-+$/g, '');
	return slug === '' ? fallback : slug;
}

/** The variable that opens the vault file where nobody can be asked, as other tools of this kind have one. */
export const passphraseVariable = 'FLEET_VAULT_PASSPHRASE';

/** Where a project's policy lies, in its repository. */
export const policyPath = '.fleet/policy.yaml';

/**
 * The branch of a run. git can make none below a branch that is itself named `fleet`: then another folder is taken.
 * @param branches the names of the branches that there are
 */
export function branchOf(runId: string, branches: ReadonlySet<string>): string {
	let folder = 'fleet';
	for (let number = 1; branches.has(folder); number++) {
		folder = number === 1 ? 'fleet-runs' : `fleet-runs-${number}`;
	}

	return `${folder}/${runId}`;
}

/** Whether a branch is, by its name, a run's: other runs' branches are other people's work. */
export function isRunBranch(branch: string): boolean {
	return /^fleet(?:-runs(?:-\d+)?)?\/[^/]+$/.test(branch);
}

/** Whether a branch has work or words of others: a run's, or what fleet keeps of requests, answers and gate logs. */
export function isFleetBranch(branch: string): boolean {
	return isRunBranch(branch) || /^fleet-(?:requests|answers|log)\//.test(branch);
}

/** For quoting what somebody typed in an error line: control bytes out, length bounded. */
export function printable(text: string, limit = 80): string {
	const clean = markHidden(text.replaceAll(eachControl, '?'), () => '?');
	return clean.length > limit ? `${clean.slice(0, limit)}…` : clean;
}
