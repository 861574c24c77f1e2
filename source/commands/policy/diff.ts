import {changeLine, policyDiff} from '../../core/policy-diff.ts';
import {printable} from '../../core/names.ts';
import {Refusal} from '../../core/refusal.ts';
import {escapeLine} from '../../core/text/escape-controls.ts';
import {decidingAt, decidingIn} from '../../engine/grants/explain.ts';
import {findProject, openRepository} from '../../engine/project/projects.ts';
import type {Git} from '../../host/git.ts';
import type {PolicyAction} from './options.ts';

async function commitOf(checkout: Git, name: string): Promise<string> {
	const commit = name.startsWith('-') ? undefined : await checkout.resolve(`${name}^{commit}`);
	if (commit === undefined) {
		throw new Refusal(`there is no commit "${printable(name, 60)}"`, 'git log --oneline -5');
	}

	return commit;
}

/** `fleet policy diff [COMMIT [COMMIT]]`: against the files of the checkout, where there is one commit or none */
export const diff: PolicyAction = async (context, io, {first, second, options}) => {
	const project = await findProject(context, options.project, io.folder);
	const {git, checkout} = await openRepository(project.root);
	const before = await decidingAt(git, await commitOf(checkout, first ?? 'HEAD'));
	const after =
		second === undefined ? decidingIn(project.root) : await decidingAt(git, await commitOf(checkout, second));
	const changes = policyDiff(before, after);
	if (options.json) {
		io.json(changes);
		return;
	}

	io.out(
		changes.length === 0 ? 'no change\n' : `${changes.map(change => escapeLine(changeLine(change))).join('\n')}\n`,
	);
};
