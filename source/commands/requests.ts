import {compose} from '../compose.ts';
import {exitCodes, Refusal} from '../core/refusal.ts';
import {branchName} from '../core/git/refs.ts';
import {columnLines} from '../core/text/columns.ts';
import {localStamp} from '../core/text/time.ts';
import {escapeControls, escapeLine} from '../core/text/escape-controls.ts';
import type {Context} from '../engine/context.ts';
import {ownKey} from '../engine/people/decisions.ts';
import {findProject} from '../engine/project/projects.ts';
import {answer} from '../engine/requests/answer.ts';
import {carrierOf} from '../engine/requests/carry.ts';
import {
	fetchRequests,
	findRequest,
	listRequests,
	placeOf,
	requestDiff,
	type BadRequest,
	type OthersRequest,
	type Place,
} from '../engine/requests/read.ts';
import {forgetOthers, verifiedHere, verifiedText, verifyRequest} from '../engine/requests/verify.ts';
import {ask} from '../terminal/ask.ts';
import {goOnUnread, type Io} from '../terminal/program.ts';
import {define, flag, json, optional, reason, text, type OptionValues} from './verb.ts';

const options = {
	project: text('PROJECT', 'by default the one of this folder'),
	from: text('REMOTE', 'the remote over which is asked; origin by default'),
	stat: flag('show: a summary in place of the change'),
	because: reason(),
	setupSecrets: flag("verify: let setup read with its secrets, although what it runs is another's agent's"),
	confirm: text('WORD', 'approve: the word that the policy asks for, in place of typing it'),
	key: text('FILE', "the SSH key to sign with; git's user.signingKey by default"),
	json,
};

type Request = {
	readonly io: Io;
	readonly context: Context;
	readonly place: Place;
	readonly name: string | undefined;
	readonly options: OptionValues<typeof options>;
};

const isBad = (request: OthersRequest | BadRequest): request is BadRequest => 'refusal' in request;

/** A request as a document. */
function documentOf({context, place}: Pick<Request, 'context' | 'place'>, request: OthersRequest | BadRequest) {
	if (isBad(request)) {
		return {run: request.run, ok: false, because: request.refusal.because};
	}

	const {run, file, statement} = request;
	const {by, target, base, head, tree, because, at, until, audit} = statement;
	const here = verifiedHere(context, place, request) ?? null;
	const {title, agent, verified} = file;
	return {run, ok: true, by, title, agent, target, base, head, tree, because, at, until, audit, verified, here};
}

async function list(request: Request): Promise<void> {
	const {io, place, options} = request;
	const requests = await listRequests(place);
	forgetOthers(
		request.context,
		place,
		requests.map(({run}) => run),
	);
	if (options.json) {
		io.json(requests.map(one => documentOf(request, one)));
		return;
	}

	const good = requests.filter(request => !isBad(request)) as OthersRequest[];
	io.out(
		good.length === 0
			? `nobody asks for anything at ${place.carrier.remote}\n`
			: columnLines(
					good.map(({run, statement, file}) => [
						run,
						`${statement.by} asks`,
						branchName(statement.target),
						escapeLine(file.title),
					]),
				),
	);
	for (const {run, refusal} of requests.filter(isBad)) {
		io.err(`left out: ${escapeLine(run)}: ${escapeLine(refusal.because)}\n`);
	}
}

/** What was verified of it, where, and by whom. */
function verifiedLines({context, place}: Pick<Request, 'context' | 'place'>, request: OthersRequest): string {
	const here = verifiedHere(context, place, request);
	const {file, statement, run} = request;
	return (
		line('verified', `${file.verified} (on ${statement.by}'s machine)`) +
		line('here', here ? `${verifiedText(here)} (${localStamp(here.at)})` : `not yet: fleet requests verify ${run}`)
	);
}

const line = (title: string, value: string) => (value === '' ? '' : `${title.padEnd(9)} ${escapeLine(value)}\n`);

async function show({io, context, place, name, options}: Request): Promise<void> {
	const request = await findRequest(place, named(name));
	if (options.json) {
		io.json({
			...documentOf({context, place}, request),
			diff: await requestDiff(context, place, {request, stat: options.stat}),
		});
		return;
	}

	const {file, statement} = request;
	io.out(
		line('asks', statement.by) +
			line('task', file.title) +
			line('agent', file.agent) +
			line('into', `${branchName(statement.target)}, at ${statement.base.slice(0, 10)}`) +
			line('because', statement.because) +
			verifiedLines({context, place}, request) +
			line('audit', statement.audit) +
			`\n${escapeControls(await requestDiff(context, place, {request, stat: options.stat}))}`,
	);
}

function named(name: string | undefined): string {
	if (name === undefined) {
		throw new Refusal('say which run', 'fleet requests lists them');
	}

	return name;
}

/** Runs the project's own verification on the merge as this machine makes it. */
async function verify({io, context, place, name, options}: Request): Promise<number> {
	const request = await findRequest(place, named(name));
	const {run} = request;
	// What a gate says is its exit code, whoever reads along.
	goOnUnread();
	const here = await verifyRequest(context, place, {
		request,
		allowsSecrets: options.setupSecrets,
		onOutput(text) {
			if (!options.json) {
				io.out(escapeControls(text));
			}
		},
	});
	const word = {passed: 'verified here', failed: 'not verified', inconclusive: 'inconclusive'}[here.result];
	const because = `${word}: ${escapeLine(here.because)}`;
	const hint =
		here.result === 'passed' ? `fleet requests approve ${run}` : `fleet requests reject ${run} --because "…"`;
	io.report({outcome: {because, hint}});
	if (options.json) {
		io.json({run, ...here});
	} else {
		io.out(`${because}\n  hint: ${hint}\n`);
	}

	return {passed: exitCodes.ok, failed: exitCodes.gate, inconclusive: exitCodes.inconclusive}[here.result];
}

/** What is signed, and by which key, before it is. */
async function sayAnswer(
	{io, context, place, options}: Request,
	request: OthersRequest,
	decision: 'approve' | 'reject',
): Promise<void> {
	const {statement, file} = request;
	io.err(
		line('asks', file.title === '' ? statement.by : `${statement.by}: ${file.title}`) +
			line('into', `${branchName(statement.target)}, at ${statement.base.slice(0, 10)}`) +
			line('because', statement.because) +
			verifiedLines({context, place}, request) +
			line(
				'signed',
				`by ${await ownKey(place.checkout, options.key)}: ${decision === 'approve' ? 'exactly this merge, for a day' : 'a no, until you approve it'}`,
			),
	);
}

function answering(decision: 'approve' | 'reject') {
	return async (order: Request): Promise<void> => {
		const {io, context, place, name, options} = order;
		const request = await findRequest(place, named(name));
		await sayAnswer(order, request, decision);
		const {word} = request.deciders.policy.approve;
		let confirmed = options.confirm;
		if (decision === 'approve' && word !== undefined && confirmed === undefined && io.interactive) {
			confirmed = await ask(`type ${word} to approve ${request.run}: `, false);
		}

		const by = await answer(context, place, {
			request,
			decision,
			because: options.because,
			key: options.key,
			confirmed,
		});
		if (options.json) {
			io.json({run: request.run, by, decision});
			return;
		}

		io.out(
			`${decision === 'approve' ? 'approved' : 'rejected'} ${request.run} as ${by}; ${request.statement.by} takes it with: fleet request ${request.run} --answers\n`,
		);
	};
}

const actions: Readonly<Record<string, (request: Request) => Promise<number | void>>> = {
	list,
	show,
	verify,
	approve: answering('approve'),
	reject: answering('reject'),
};

export const verb = define({
	summary: "others' runs that ask for your approval, over a remote of the project",
	arguments: {
		action: optional('[ACTION]', `${Object.keys(actions).join(', ')}; list by default`),
		run: optional('[RUN]'),
	},
	options,
	usage: '[list | show RUN | verify RUN | approve RUN | reject RUN]',
	async run(io, {action = 'list', run}, options) {
		const act = Object.hasOwn(actions, action) ? actions[action]! : undefined;
		if (!act) {
			throw new Refusal(
				`fleet requests has no action "${escapeLine(action).slice(0, 40)}"`,
				`actions: ${Object.keys(actions).join(', ')}`,
			);
		}

		const context = compose();
		const project = await findProject(context, options.project, io.folder);
		const place = await placeOf(project, git => carrierOf(git, options.from ?? 'origin', io.interactive));
		await fetchRequests(place);
		return act({io, context, place, name: run, options});
	},
});
