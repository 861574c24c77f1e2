import path from 'node:path';
import {escapeLine} from '../../core/text/escape-controls.ts';
import {parsePolicy, policyPath, policyText, type Policy} from '../../core/policy.ts';
import type {Project} from '../../core/project.ts';
import {orThrow, personRefusal, Refusal} from '../../core/refusal.ts';
import {formatTests} from '../../core/run/test-summary.ts';
import {quoteWord} from '../../core/text/shell-words.ts';
import type {Context} from '../../engine/context.ts';
import {detectProject} from '../../engine/project/detect.ts';
import {projectOffer} from '../../engine/project/offer.ts';
import {readPolicy} from '../../engine/project/policy.ts';
import {checkNoPolicy, commitPolicy} from '../../engine/project/policy-file.ts';
import {addProject, findNew, openRepository} from '../../engine/project/projects.ts';
import {policyOf, tryParts, type Tried} from '../../engine/project/propose.ts';
import type {Step} from '../../engine/project/trial-steps.ts';
import {joinParts, type Part} from '../../kinds/detect.ts';
import {asTyped} from '../../terminal/as-typed.ts';
import {ask} from '../../terminal/ask.ts';
import type {Io} from '../../terminal/program.ts';
import type {AddOptions} from './options.ts';

/* `fleet project add`: the project, and a first policy where it has none, tried before anybody says yes to it. */

/** What came of a proposal; the document of `--json` beside the project's own fields. */
type Outcome = {
	readonly parts: readonly Part[];
	readonly tried: Tried | undefined;
	readonly text: string | undefined;
	readonly committed: {readonly branch: string; readonly commit: string} | undefined;
};

/** Says how it goes on: on stdout, or beside the one document that is printed there. */
type Say = (text: string) => void;

/** Adds the repository of a folder, and proposes a policy where there is none. */
export async function add(
	context: Context,
	io: Io,
	{place, options}: {readonly place: string | undefined; readonly options: AddOptions},
): Promise<void> {
	for (const host of options.network) {
		orThrow(parsePolicy(JSON.stringify({network: [host]})));
	}

	await checkOpens(context, path.resolve(io.folder, place ?? '.'), {io, options});
	const {project, added, movedFrom} = await addProject(context, path.resolve(io.folder, place ?? '.'), options.as);
	const say: Say = text => (options.json ? io.err(text) : io.out(text));
	say(
		movedFrom === undefined
			? `${added ? 'added' : 'already there:'} ${project.id}, ${escapeLine(project.root)}\n`
			: `${project.id} is here now, and its runs with it: ${escapeLine(project.root)} ` +
					`(it was ${escapeLine(movedFrom)})\n`,
	);
	const outcome = (await isWithoutPolicy(project, {io, say, options}))
		? await propose(context, project, {io, say, options})
		: undefined;
	if (options.json) {
		io.json(outcome === undefined ? project : {...project, ...documentOf(outcome)});
	}
}

/** Lines of a policy's commands that are shown. */
const maxCommands = 10;

/**
 * Asks about a policy that is there already and opens the network: whoever wrote it, the person who adds the project
 * says yes to it once. Later changes of it come by their own merges.
 * @throws Refusal where they say no, or nobody can be asked
 */
async function checkOpens(
	context: Context,
	folder: string,
	{io, options}: Pick<Asked, 'io' | 'options'>,
): Promise<void> {
	const root = await findNew(context, folder);
	const policy = root === undefined ? undefined : await policyThere(root);
	const hosts = [...(policy?.network ?? []), ...(policy?.privateHosts ?? [])];
	if (root === undefined || !policy || hosts.length === 0 || options.yes) {
		return;
	}

	const adds = asTyped(`fleet project add ${quoteWord(root)} --yes`);
	if (!io.interactive || options.json) {
		throw personRefusal(
			`its policy opens the network to setup and to every run: ${hosts.map(host => escapeLine(host)).join(', ')}`,
			`read ${policyPath}; then: ${adds}`,
		);
	}

	const commands = policy.setup.commands.slice(0, maxCommands).map(command => `  setup    ${escapeLine(command)}\n`);
	io.out(
		`${escapeLine(root)} has a policy, and it opens the network to setup and to every run:\n` +
			`  network  ${hosts.map(host => escapeLine(host)).join(', ')}\n${commands.join('')}`,
	);
	if (!(await saysYes('Do you trust it, and add the project? [y/N] '))) {
		throw personRefusal('you said no, so it is not added', `read ${policyPath}; then: ${adds}`);
	}
}

/** The policy of a repository; undefined where there is none that can be read, which is told later. */
async function policyThere(root: string): Promise<Policy | undefined> {
	try {
		const {checkout} = await openRepository(root);
		return (await readPolicy(checkout, 'HEAD')).policy;
	} catch (error) {
		if (error instanceof Refusal) {
			return undefined;
		}

		throw error;
	}
}

type Asked = {readonly io: Io; readonly say: Say; readonly options: AddOptions};

/** Whether a first policy can be proposed. What keeps it from that is told. */
async function isWithoutPolicy(project: Project, {io, say}: Asked): Promise<boolean> {
	const {checkout} = await openRepository(project.root);
	try {
		const {blob, policy} = await readPolicy(checkout, 'HEAD');
		if (blob === 'none') {
			await checkNoPolicy(project);
			return true;
		}

		if (policy.verify.commands.length === 0) {
			const {suggestedVerify} = await projectOffer(project);
			say(
				'  no verify commands yet, so nothing can be merged: ' +
					asTyped(`fleet project init ${project.id} --verify "${suggestedVerify ?? 'npm test'}"\n`),
			);
		}
	} catch (error) {
		if (!(error instanceof Refusal)) {
			throw error;
		}

		io.err(`  note: no policy is proposed: ${escapeLine(error.because)}\n  hint: ${escapeLine(error.hint)}\n`);
	}

	return false;
}

/** Shows what is found, tries it where that is asked for, and commits what passed, with a yes. */
async function propose(context: Context, project: Project, asked: Asked): Promise<Outcome> {
	const {io, say, options} = asked;
	const all = await detectProject(context, project);
	const parts = all.filter(({canRun}) => canRun);
	for (const part of all) {
		say(`  found ${part.title}: ${escapeLine(part.by)}\n`);
		for (const note of part.notes) {
			say(`    note: ${escapeLine(note)}\n`);
		}
	}

	const missing = all.filter(({canRun}) => !canRun);
	for (const {title, program} of missing) {
		say(`    note: no run of the project finds a program "${program}", so ${title} is left out\n`);
	}

	const proposed = policyOf(parts, options.network);
	if (parts.length === 0) {
		say(
			missing.length === 0
				? `  nothing says how it is verified, and without that nothing can be merged: ` +
						asTyped(`fleet project init ${project.id} --verify "make test"\n`)
				: `  install ${missing.map(({program}) => program).join(' and ')}, or name its folder under toolchains in ` +
						asTyped(`settings.yaml; then: fleet project add ${quoteWord(project.root)} --yes\n`),
		);
		return {parts: all, tried: undefined, text: undefined, committed: undefined};
	}

	for (const command of joinParts(parts).preview) {
		say(`  to look at it while it is worked on: ${escapeLine(command)}\n`);
	}

	const isTried = options.try ?? (options.yes || (io.interactive && !options.json));
	if (!isTried) {
		const text = orThrow(policyText(proposed));
		say(`  proposed, and not tried:\n${indent(text)}`);
		say(asTyped(`  to try it, and commit what passes: fleet project add ${quoteWord(project.root)} --yes\n`));
		return {parts: all, tried: undefined, text, committed: undefined};
	}

	say(
		`  trying it in a sandbox, on what is committed\n` +
			`  network ${proposed.network.join(', ') || 'none'} for setup, none for verify\n`,
	);
	const tried = await tryParts(context, project, {
		parts,
		hosts: options.network,
		tell: news => say('result' in news ? stepText(news) : `  ${news.phase.padEnd(7)} ${escapeLine(news.command)} …`),
		again: () => say(`  what failed, without ${policyPath}, which is new:\n`),
		mayReach: (hosts, nearby) => mayReach(project, {hosts, nearby}, asked),
	});
	return {parts: all, tried, ...(await commitPassed(project, tried, asked))};
}

const indent = (text: string) => text.replaceAll(/^(?=.)/gm, '    ');

/** How a command came out, behind its name, and its last words where it did not pass. */
function stepText({result, because, tests, ms, lines}: Step): string {
	const time = `${(ms / 1000).toFixed(1)} s`;
	return result === 'passed'
		? ` passed, ${time}${tests?.passed === undefined ? '' : `, ${formatTests(tests)}`}\n`
		: ` ${result}, ${time}: ${escapeLine(because)}\n${lines.map(line => `          ${escapeLine(line)}\n`).join('')}`;
}

async function saysYes(question: string): Promise<boolean> {
	return /^y(?:es)?$/i.test((await ask(question, false)).trim());
}

/** Whether a trial may be repeated with hosts that it was denied: a person decides, and nobody else. */
async function mayReach(
	project: Project,
	{hosts, nearby}: {readonly hosts: readonly string[]; readonly nearby: readonly string[]},
	{io, say, options}: Asked,
): Promise<boolean> {
	const names = hosts
		.map(host => `${escapeLine(host)}${nearby.includes(host) ? ' (no public address)' : ''}`)
		.join(', ');
	if (io.interactive && !options.yes && !options.json) {
		return saysYes(`  setup asked for ${names}, and was denied: add that and try again? [y/N] `);
	}

	say(
		`  setup asked for ${names}, and was denied; to allow that: ` +
			asTyped(
				`fleet project add ${quoteWord(project.root)} --yes ${hosts.map(host => `--network ${escapeLine(host)}`).join(' ')}\n`,
			),
	);
	return false;
}

async function commitPassed(
	project: Project,
	{policy, stopped, notes}: Tried,
	{io, say, options}: Asked,
): Promise<Pick<Outcome, 'text' | 'committed'>> {
	for (const note of notes) {
		say(`    note: ${escapeLine(note)}\n`);
	}

	const isNothing = policy.setup.commands.length + policy.verify.length === 0;
	for (const command of stopped) {
		say(
			`    note: ${escapeLine(command)} passes without ${policyPath} and fails with it: it checks every file.\n` +
				'          Let that check leave out .fleet/ (apache-rat-plugin: <exclude>.fleet/**</exclude>; Prettier: .fleet/ in\n' +
				`          .prettierignore), commit that, then ${
					isNothing
						? `fleet project add ${quoteWord(project.root)} --yes`
						: `name the command in ${policyPath}, as any other change of it`
				}\n`,
		);
	}

	if (isNothing) {
		say(
			`  nothing of it passed, so no policy is committed; without verify commands nothing can be merged: ` +
				asTyped(`fleet project init ${project.id} --verify "…"\n`),
		);
		return {text: undefined, committed: undefined};
	}

	const text = orThrow(policyText(policy));
	say(`  what passed, as ${policyPath}:\n${indent(text)}`);
	if (policy.verify.length === 0) {
		say('    note: nothing verifies a result yet, so nothing can be merged\n');
	}

	const isWanted =
		options.yes ||
		(io.interactive && !options.json && (await saysYes(`  commit it on this branch? You can change it later. [y/N] `)));
	if (!isWanted) {
		say(
			asTyped(
				`  not committed; write it to ${policyPath} and commit it, or: fleet project add ${quoteWord(project.root)}\n`,
			),
		);
		return {text, committed: undefined};
	}

	const committed = await commitPolicy(project, text);
	say(`  ${policyPath} is committed on ${escapeLine(committed.branch)} as ${committed.commit.slice(0, 10)}\n`);
	return {text, committed};
}

function documentOf({parts, tried, text, committed}: Outcome) {
	return {
		kinds: parts.map(({kind, by, folder, program, setup, verify, network, inputs, preview, notes}) => ({
			kind,
			by,
			folder,
			program,
			setup,
			verify,
			network,
			inputs,
			preview: preview ?? null,
			notes,
		})),
		steps: (tried?.steps ?? []).map(({phase, command, result, because, ms, lines}) => ({
			phase,
			command,
			result,
			because,
			ms,
			lines,
		})),
		denied: tried?.denied ?? [],
		stopped: tried?.stopped ?? [],
		policy: text ?? null,
		committed: committed ?? null,
	};
}
