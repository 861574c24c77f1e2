import type {Project} from '../../core/project.ts';
import {orThrow, personRefusal, Refusal} from '../../core/refusal.ts';
import {
	describeBinding,
	formatReference,
	makeBinding,
	type Binding,
	type Reference,
} from '../../core/secrets/secret.ts';
import {splitWords} from '../../core/text/shell-words.ts';
import {parseDuration} from '../../core/text/time.ts';
import type {Context} from '../../engine/context.ts';
import {addSecret, checkValue, mustFindSecret, projectOf, type Store} from '../../engine/grants/secrets.ts';
import {ask, readLines} from '../../terminal/ask.ts';
import type {Io} from '../../terminal/program.ts';
import {secretDocument} from '../documents.ts';
import {storeText} from './holders.ts';
import type {SecretAction, SecretOptions} from './options.ts';
import {projectHere, proposalFor, referenceOf} from './reference.ts';

/** What was typed, where anything was. */
function given(list: readonly string[]): readonly string[] | undefined {
	return list.length > 0 ? list : undefined;
}

/** What a new secret may do: as typed, else as the project proposes, else as the agent of that name needs it. */
async function bindingFor(
	context: Context,
	io: Io,
	{
		reference,
		project,
		options,
	}: {
		readonly reference: Reference;
		readonly project: Project | undefined;
		readonly options: SecretOptions;
	},
): Promise<{binding: Binding; source: string | undefined}> {
	const longest = options.longest === undefined ? undefined : orThrow(parseDuration(options.longest));
	const typed =
		[options.host, options.header, options.method, options.path].some(list => list.length > 0) ||
		[options.class, options.env, options.longest].some(text => text !== undefined);
	const proposal = await proposalFor(project, reference);
	const model = context.agents.find(agent => agent.model?.secret === reference.name)?.model;
	const base = proposal?.binding ?? model?.binding;
	if (typed || !base) {
		return {
			binding: orThrow(
				makeBinding({
					class: options.class ?? base?.class,
					hosts: given(options.host) ?? base?.hosts,
					headers: given(options.header) ?? base?.headers,
					methods: given(options.method) ?? base?.methods,
					paths: given(options.path) ?? base?.paths,
					environment: options.env ?? base?.environment,
					longest: longest ?? base?.longest,
				}),
			),
			source: proposal?.source,
		};
	}

	const origin = proposal ? `the project proposes for ${formatReference(reference)}` : `known for ${reference.name}`;
	const from = proposal?.source ? `; value from ${proposal.source}` : '';
	io.err(`${origin}: ${describeBinding(base)}${from}\n`);
	if (!proposal && model && options.from === undefined) {
		io.err(`its value: ${model.made}\n`);
	}

	if (proposal && !options.yes) {
		if (!io.interactive) {
			throw personRefusal(
				'what a project proposes is approved by a person, and there is nobody to ask',
				'look at it, then: --yes, or write it yourself with --host',
			);
		}

		if (!/^y(?:es)?$/i.test((await ask('approve this? [y/N] ', false)).trim())) {
			throw new Refusal('it was not approved', 'nothing was written');
		}
	}

	return {binding: base, source: proposal?.source};
}

/** Where the value is to rest. Never chosen silently: where there is no OS vault, a person says what else. */
export async function storeFor(
	context: Context,
	io: Io,
	{options, proposed}: {readonly options: SecretOptions; readonly proposed: string | undefined},
): Promise<{store: Store; source?: string}> {
	const from = options.from ?? (options.store === undefined ? proposed : undefined);
	if (from !== undefined) {
		const match = /^(env|cmd):(.+)$/.exec(from);
		if (!match || (match[1] === 'env' && !/^[A-Za-z_]\w*$/.test(match[2]!))) {
			throw new Refusal(
				`"${from.slice(0, 60)}" is not a source`,
				'write --from env:NAME or --from "cmd:PROGRAM ARGUMENTS"',
			);
		}

		if (match[1] === 'cmd') {
			orThrow(splitWords(match[2]!));
		}

		return {store: match[1] as Store, source: match[2]!};
	}

	const wanted = options.store;
	if (wanted !== undefined && !['keyring', 'age', 'session'].includes(wanted)) {
		throw new Refusal(
			`"${wanted.slice(0, 40)}" is not a store`,
			'stores: keyring, age, session; from outside: --from env:NAME or --from cmd:…',
		);
	}

	const keyring =
		wanted === undefined || wanted === 'keyring'
			? await context.vaults.find(vault => vault.id === 'keyring')!.probe()
			: undefined;
	if (wanted === 'age' || wanted === 'session' || keyring?.state === 'unlocked' || keyring?.state === 'locked') {
		return {store: (wanted ?? 'keyring') as Store};
	}

	const choice =
		`${keyring!.because}; choose: --store age (a file, with a passphrase), --from env:NAME or cmd:…, ` +
		'or --store session (typed at each use)';
	if (wanted === 'keyring' || !io.interactive) {
		throw new Refusal(choice.split(';')[0]!, choice.split('; ')[1]!);
	}

	io.err(
		`${choice.split(';')[0]}\n  1  a file that is encrypted with a passphrase (age)\n` +
			'  2  nowhere: typed for each run that needs it\n',
	);
	const answer = (await ask('which? [1/2, anything else: neither] ', false)).trim();
	if (answer !== '1' && answer !== '2') {
		throw new Refusal('no store was chosen', 'nothing was written');
	}

	return {store: answer === '1' ? 'age' : 'session'};
}

/** `fleet secret add` */
export const add: SecretAction = async (context, io, request) => {
	const {options} = request;
	const project = await projectHere(context, io, options.in);
	const reference = referenceOf(context, request, {project, fresh: true});
	const own = projectOf(reference, project);
	const {binding, source: proposed} = await bindingFor(context, io, {reference, project, options});
	const {store, source} = await storeFor(context, io, {options, proposed});
	let value: string | undefined;
	if (store === 'keyring' || store === 'age') {
		value = (
			io.interactive
				? await ask(`the value of ${formatReference(reference)} (hidden): `, true)
				: ((await readLines(1))[0] ?? '')
		).trim();
		checkValue(value);
	}

	await addSecret(context, {reference, project: own, store, source, binding}, value);
	if (options.json) {
		io.json(secretDocument(mustFindSecret(context, reference, own), []));
		return;
	}

	io.out(
		`${formatReference(reference)} is kept: ${storeText(store, source)}\n` +
			`  ${binding.class}: ${describeBinding(binding)}\n`,
	);
};
