import {lstatSync, mkdirSync, readFileSync, renameSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import {policyPath, withNetwork} from '../core/policy.ts';
import {orThrow, Refusal} from '../core/refusal.ts';

/**
 * Writes hosts into the policy file of a project's checkout, where a person reviews and commits them: until then no
 * run reads them.
 *
 * @param root the project's folder
 * @returns the hosts that were not there yet
 * @throws Refusal where the file cannot be read, or is no file of the checkout's own
 */
export function proposeNetwork(root: string, hosts: readonly string[]): readonly string[] {
	const file = path.join(root, policyPath);
	const folder = lstatSync(path.dirname(file), {throwIfNoEntry: false});
	const status = lstatSync(file, {throwIfNoEntry: false});
	if ((folder && !folder.isDirectory()) || (status && !status.isFile())) {
		throw new Refusal(`${policyPath} is not a file of the checkout's own`, 'a link is not followed: what is written there could be anything');
	}

	const {text, added} = orThrow(withNetwork(status ? readFileSync(file, 'utf8') : '', hosts));
	if (added.length > 0) {
		mkdirSync(path.dirname(file), {recursive: true});
		writeFileSync(`${file}.new`, text, {mode: status ? status.mode & 0o777 : 0o644});
		renameSync(`${file}.new`, file);
	}

	return added;
}
