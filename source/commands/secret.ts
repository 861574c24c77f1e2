import {compose} from '../compose.ts';
import {neutraliseLine} from '../core/text/escape-controls.ts';
import type {Project} from '../core/project.ts';
import type {Proposal} from '../core/secrets/proposals.ts';
import {exitCodes, orThrow, personRefusal, Refusal} from '../core/refusal.ts';
import type {Run} from '../core/run/run.ts';
import {
	describeBinding,
	formatReference,
	makeBinding,
	parseReference,
	widening,
	type Binding,
	type Owner,
	type Reference,
} from '../core/secrets/secret.ts';
import {isInForce} from '../core/scope.ts';
import {localStamp, parseDuration} from '../core/text/time.ts';
import {splitWords} from '../core/text/shell-words.ts';
import type {Context} from '../engine/context.ts';
import {findProject, openRepository} from '../engine/project/projects.ts';
import {listRuns} from '../engine/runs.ts';
import {
	addSecret,
	checkValue,
	findSecret,
	listSecrets,
	mustFindSecret,
	projectOf,
	readProposals,
	rebindSecret,
	removeSecret,
	resolveSecret,
	type SecretEntry,
	type Store,
} from '../engine/grants/secrets.ts';
import {ask, askHidden, readLines} from '../terminal/ask.ts';
import {secretDocument} from './documents.ts';
import type {Verb} from './verb.ts';
import type {Io} from '../terminal/program.ts';

const collect = (value: string, earlier: string[] | undefined) => [...(earlier ?? []), value];

const actions = ['add', 'list', 'show', 'approve', 'check', 'remove', 'stores'];

/** The project that this folder belongs to, if any. */
async function projectHere(context: Context, io: Io, name: string | undefined): Promise<Project | undefined> {
	try {
		return await findProject(context, name, io.folder);
	} catch (error) {
		if (name !== undefined) {
			throw error;
		}

		return undefined;
	}
}

/** `NAME`, with --user or --project or the one that is there, or a whole reference. */
function referenceOf(
	context: Context,
	text: string | undefined,
	options: {user?: boolean; project?: boolean},
	project: Project | undefined,
	fresh: boolean,
): Reference {
	if (text === undefined) {
		throw new Refusal('name a secret', 'such as: fleet secret add anthropic --user');
	}

	if (text.includes('/')) {
		return orThrow(parseReference(text));
	}

	const of = (owner: Owner) => orThrow(parseReference(`${owner}/${text}`));
	if (options.user || options.project) {
		return of(options.user ? 'user' : 'project');
	}

	if (fresh) {
		return of(project ? 'project' : 'user');
	}

	if (project && findSecret(context, of('project'), project.id)) {
		return of('project');
	}

	return findSecret(context, of('user'), undefined) ? of('user') : of(project ? 'project' : 'user');
}

async function proposalFor(project: Project | undefined, reference: Reference): Promise<Proposal | undefined> {
	if (!project || reference.owner !== 'project') {
		return undefined;
	}

	const {git, checkout} = await openRepository(project.root);
	const head = await checkout.resolve('HEAD^{commit}');
	return head === undefined ? undefined : (await readProposals(git, head)).get(reference.name);
}

/** What a new secret may do: as typed, else as the project proposes, else as the agent of that name needs it. */
async function bindingFor(
	context: Context,
	io: Io,
	reference: Reference,
	project: Project | undefined,
	options: Record<string, any>,
): Promise<{binding: Binding; source: string | undefined}> {
	const longest = options['longest'] === undefined ? undefined : orThrow(parseDuration(options['longest']));
	const typed = ['host', 'header', 'method', 'path', 'class', 'env', 'longest'].some(
		name => options[name] !== undefined,
	);
	const proposal = await proposalFor(project, reference);
	const known = context.agents.find(agent => agent.model?.secret === reference.name)?.model?.binding;
	const base = proposal?.binding ?? known;
	if (typed || !base) {
		return {
			binding: orThrow(
				makeBinding({
					class: options['class'] ?? base?.class,
					hosts: options['host'] ?? base?.hosts,
					headers: options['header'] ?? base?.headers,
					methods: options['method'] ?? base?.methods,
					paths: options['path'] ?? base?.paths,
					environment: options['env'] ?? base?.environment,
					longest: longest ?? base?.longest,
				}),
			),
			source: proposal?.source,
		};
	}

	const origin = proposal ? `the project proposes for ${formatReference(reference)}` : `known for ${reference.name}`;
	const from = proposal?.source ? `; value from ${proposal.source}` : '';
	io.err(`${origin}: ${describeBinding(base)}${from}\n`);
	if (proposal && !options['yes']) {
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
async function storeFor(
	context: Context,
	io: Io,
	options: Record<string, any>,
	proposed: string | undefined,
): Promise<{store: Store; source?: string}> {
	const from: string | undefined = options['from'] ?? (options['store'] === undefined ? proposed : undefined);
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

	const wanted: string | undefined = options['store'];
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

async function add(context: Context, io: Io, name: string | undefined, options: Record<string, any>): Promise<void> {
	const project = await projectHere(context, io, options['in']);
	const reference = referenceOf(context, name, options, project, true);
	const own = projectOf(reference, project);
	const {binding, source: proposed} = await bindingFor(context, io, reference, project, options);
	const {store, source} = await storeFor(context, io, options, proposed);
	let value: string | undefined;
	if (store === 'keyring' || store === 'age') {
		value = (
			io.interactive
				? await ask(`the value of ${formatReference(reference)} (not shown): `, true)
				: ((await readLines(1))[0] ?? '')
		).trim();
		checkValue(value);
	}

	await addSecret(context, {reference, project: own, store, source, binding}, value);
	io.out(
		`${formatReference(reference)} is kept: ${storeWords(store, source)}\n` +
			`  ${binding.class}: ${describeBinding(binding)}\n`,
	);
}

/** Where a value rests, in words. */
function storeWords(store: Store, source: string | undefined): string {
	return {
		keyring: 'in the OS vault',
		age: 'in the vault file',
		session: 'nowhere, typed for each run',
		env: `from the variable ${source}`,
		cmd: `from the command ${source}`,
	}[store];
}

/** The runs that may use a secret now. */
function holdersOf(
	context: Context,
	runs: readonly Run[],
	entry: SecretEntry,
	now: number,
): Array<{run: string; scope: string; until: string | undefined}> {
	const own = `secret:${entry.reference.owner}/${entry.reference.name}`;
	return runs
		.filter(run => entry.project === undefined || entry.project === run.project.id)
		.flatMap(run =>
			run.grants
				.filter(
					grant =>
						isInForce(grant, now) && (grant.scope === own || grant.reference === formatReference(entry.reference)),
				)
				.map(grant => ({run: run.id, scope: grant.scope, until: grant.until})),
		);
}

function list(context: Context, io: Io, options: Record<string, any>): void {
	const entries = listSecrets(context);
	const runs = listRuns(context).filter(run => run.stage !== 'discarded');
	const documents = entries.map(entry => secretDocument(entry, holdersOf(context, runs, entry, Date.now())));
	if (options['json']) {
		io.json(documents);
		return;
	}

	if (entries.length === 0) {
		io.out('no secrets: fleet secret add NAME --user, or --project\n');
		return;
	}

	const rows = [
		['REFERENCE', 'PROJECT', 'CLASS', 'STORE', 'HOSTS', 'GRANTED TO'],
		...documents.map(({reference, project, class: kind, store, hosts, holders}) => [
			reference,
			project ?? '-',
			kind,
			store,
			hosts.join(' ') || '-',
			holders.map(({run}) => run).join(' ') || '-',
		]),
	];
	const widths = rows[0]!.map((_, column) => Math.max(...rows.map(row => row[column]!.length)));
	for (const row of rows) {
		io.out(
			`${row
				.map((cell, column) => cell.padEnd(widths[column]!))
				.join('  ')
				.trimEnd()}\n`,
		);
	}
}

async function check(
	context: Context,
	io: Io,
	entries: readonly SecretEntry[],
	project: Project | undefined,
	options: Record<string, any>,
): Promise<number> {
	const results: Array<{reference: string; project: string | null; ok: boolean; because: string}> = [];
	for (const entry of entries) {
		let because = 'its value can be read';
		let ok = true;
		try {
			if (entry.store === 'session') {
				because = 'typed for each run';
			} else {
				const {binding} = await resolveSecret(context, entry);
				const more = [...widening(binding, entry.binding), ...widening(entry.binding, binding)];
				const proposal =
					entry.project !== undefined && project?.id === entry.project
						? await proposalFor(project, entry.reference)
						: undefined;
				const asked = proposal ? widening(binding, proposal.binding) : [];
				if (more.length > 0) {
					ok = false;
					because = `what is listed is not what was approved (${more.join(', ')}); what was approved counts`;
				} else if (asked.length > 0) {
					ok = false;
					because =
						`the project asks for more than was approved: ${asked.join(', ')}; ` +
						`fleet secret approve ${entry.reference.name}`;
				}
			}
		} catch (error) {
			ok = false;
			because = error instanceof Refusal ? `${error.because} (${error.hint})` : (error as Error).message;
		}

		results.push({reference: formatReference(entry.reference), project: entry.project ?? null, ok, because});
	}

	if (options['json']) {
		io.json(results);
	} else {
		for (const {reference, project: own, ok, because} of results) {
			io.out(`${ok ? 'works' : 'FAILS'}  ${reference}${own === null ? '' : ` (${own})`}: ${neutraliseLine(because)}\n`);
		}
	}

	return results.every(result => result.ok) ? exitCodes.ok : exitCodes.gate;
}

async function approve(
	context: Context,
	io: Io,
	entry: SecretEntry,
	project: Project | undefined,
	options: Record<string, any>,
): Promise<void> {
	const proposal = await proposalFor(project, entry.reference);
	const more = proposal ? widening(entry.binding, proposal.binding) : [];
	if (!proposal || more.length === 0) {
		const because = proposal ? 'nothing more is asked for' : 'the project proposes nothing for it';
		io.out(`${formatReference(entry.reference)}: ${because}\n`);
		return;
	}

	io.err(
		`${formatReference(entry.reference)} is approved for: ${describeBinding(entry.binding)}\n` +
			`the project asks for more: ${more.join(', ')}\n`,
	);
	if (!options['yes'] && !(io.interactive && /^y(?:es)?$/i.test((await ask('approve this? [y/N] ', false)).trim()))) {
		throw new Refusal(
			'it was not approved',
			io.interactive ? 'what was approved before stays' : 'a person approves: in a terminal, or with --yes',
		);
	}

	await rebindSecret(context, entry, proposal.binding);
	io.out(`${formatReference(entry.reference)}: ${describeBinding(proposal.binding)}\n`);
}

export const verb: Verb = {
	define(command) {
		command
			.argument('<action>', actions.join(', '))
			.argument('[name]', 'a name, or a whole reference')
			.option('--user', 'a secret of your own, for every project')
			.option('--project', 'a secret of this project')
			.option('--in <project>', 'the project; by default the one this folder belongs to')
			.option('--host <host>', 'where it may go: HOST, HOST:PORT or *.HOST; may be repeated', collect)
			.option('--header <name>', 'which header carries it (authorization); may be repeated', collect)
			.option('--method <method>', 'with which methods (all); may be repeated', collect)
			.option('--path <path>', 'to which paths (all), such as /v1/*; may be repeated', collect)
			.option('--class <class>', 'model, task or deploy')
			.option('--env <name>', 'the variable that holds its pointer inside')
			.option('--longest <time>', 'the longest grant, such as 8h')
			.option('--store <store>', 'keyring, age or session')
			.option('--from <source>', 'env:NAME or "cmd:PROGRAM ARGUMENTS", asked at each use')
			.option('--yes', 'approve what the project proposes')
			.option('--json', 'one JSON document');
	},
	async run(io, [action, name], options) {
		if (!actions.includes(action!)) {
			throw new Refusal(
				`"${neutraliseLine(action!).slice(0, 40)}" is not something to do with secrets`,
				`fleet secret ${actions.join(' | ')}`,
			);
		}

		const context = compose(askHidden(io.interactive));
		if (action === 'stores') {
			const stores = await Promise.all(
				context.vaults.map(async vault => ({id: vault.id, title: vault.title, ...(await vault.probe())})),
			);
			if (options['json']) {
				io.json(stores.map(({id, title, state, because, hint}) => ({id, title, state, because, hint})));
			} else {
				for (const {id, title, state, works, because, hint} of stores) {
					const none = works ? 'works' : 'not here';
					const word = {unlocked: 'unlocked', locked: 'locked, asking', none}[state].padEnd(14);
					const advice = hint === '' ? '' : `${' '.repeat(24)}hint: ${hint}\n`;
					io.out(`${id.padEnd(8)} ${word} ${title}: ${because}\n${advice}`);
				}

				io.out(
					'session  always         nowhere: typed for each run\n' +
						'env, cmd always         from outside: --from env:NAME, --from "cmd:PROGRAM ARGUMENTS"\n',
				);
			}

			return;
		}

		if (action === 'list') {
			list(context, io, options);
			return;
		}

		if (action === 'add') {
			await add(context, io, name, options);
			return;
		}

		const project = await projectHere(context, io, options['in']);
		if (action === 'check' && name === undefined) {
			return check(context, io, listSecrets(context), project, options);
		}

		const reference = referenceOf(context, name, options, project, false);
		const entry = mustFindSecret(context, reference, projectOf(reference, project));
		switch (action) {
			case 'check': {
				return check(context, io, [entry], project, options);
			}

			case 'approve': {
				await approve(context, io, entry, project, options);
				return;
			}

			case 'remove': {
				const holders = holdersOf(
					context,
					listRuns(context).filter(run => run.stage === 'running' || run.stage === 'frozen'),
					entry,
					Date.now(),
				);
				if (holders.length > 0) {
					throw new Refusal(
						`${formatReference(entry.reference)} is held by ${holders.map(({run}) => run).join(', ')}`,
						holders.map(({run, scope}) => `fleet revoke ${run} ${scope}`).join('; '),
					);
				}

				await removeSecret(context, entry);
				const value = ['keyring', 'age'].includes(entry.store) ? ', its value with it' : '';
				io.out(`${formatReference(entry.reference)} is removed${value}\n`);
				return;
			}

			default: {
				const document = secretDocument(entry, holdersOf(context, listRuns(context), entry, Date.now()));
				if (options['json']) {
					io.json(document);
					return;
				}

				const line = (title: string, text: string) => io.out(`${title.padEnd(10)} ${neutraliseLine(text)}\n`);
				line('reference', document.reference);
				if (entry.project !== undefined) {
					line('project', entry.project);
				}

				line('value', storeWords(entry.store, entry.source));
				line('class', document.class);
				line('bound', describeBinding(entry.binding));
				line('changed', entry.changedAt);
				for (const {run, scope, until} of document.holders) {
					line('granted', `${run}, ${scope}, ${until === null ? 'until the run ends' : `until ${localStamp(until)}`}`);
				}
			}
		}
	},
};
