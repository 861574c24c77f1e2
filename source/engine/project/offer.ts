import {allBranches} from '../../core/git/refs.ts';
import {isRunBranch} from '../../core/names.ts';
import {peoplePath} from '../../core/people/people.ts';
import {Refusal} from '../../core/refusal.ts';
import type {Project} from '../../core/project.ts';
import type {ProjectView} from '../../protocol/client.ts';
import {suggestVerify} from '../../core/suggest.ts';
import {readPolicy} from './policy.ts';
import {openRepository} from './projects.ts';

/** Where a project keeps prompts for its runs. */
export const promptsPath = '.fleet/prompts';

/** Characters of one template, and how many there may be. */
const maxPromptChars = 20_000;
const maxPrompts = 50;

/** What a project offers for a new run, from what is committed: what lies in the folder could be an agent's. */
export async function projectOffer(project: Project): Promise<ProjectView> {
	const {git, checkout} = await openRepository(project.root);
	const head = (await checkout.run(['symbolic-ref', '--quiet', '--short', 'HEAD'])).stdout.trim();
	const branches = (
		await git.run(['for-each-ref', '--sort=-committerdate', '--count=200', '--format=%(refname:short)', allBranches])
	).stdout
		.split('\n')
		.filter(name => name !== '' && name !== head && !isRunBranch(name));
	const names = (await checkout.run(['ls-tree', '--name-only', '-z', 'HEAD', `${promptsPath}/`])).stdout
		.split('\0')
		.filter(name => /\.(?:md|txt)$/.test(name))
		.slice(0, maxPrompts);
	const prompts = await Promise.all(
		names.map(async path => ({
			name: path.slice(promptsPath.length + 1).replace(/\.\w+$/, ''),
			text: (await checkout.run(['cat-file', 'blob', `HEAD:${path}`])).stdout.slice(0, maxPromptChars).trimEnd(),
		})),
	);
	let policy: Awaited<ReturnType<typeof readPolicy>>['policy'] | undefined;
	try {
		({policy} = await readPolicy(checkout, 'HEAD'));
	} catch (error) {
		if (!(error instanceof Refusal)) {
			throw error;
		}
	}

	const files = (await checkout.run(['ls-tree', '--name-only', '-z', 'HEAD'])).stdout.split('\0');
	const manifest = files.includes('package.json')
		? (await checkout.run(['cat-file', 'blob', 'HEAD:package.json'])).stdout
		: '';
	return {
		branches: head === '' ? branches : [head, ...branches],
		prompts,
		network: policy?.network ?? [],
		approveWord: policy?.approve.word ?? null,
		approveSigned: (policy?.approve.sign ?? false) || (await checkout.resolve(`HEAD:${peoplePath}`)) !== undefined,
		publish: policy?.publish !== undefined,
		deploy: policy?.deploy ?? {},
		verify: [...(policy?.verify.commands ?? [])],
		suggestedVerify: suggestVerify(files, manifest) ?? null,
	};
}
