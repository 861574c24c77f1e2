import {compose} from '../compose.ts';
import {branchName} from '../core/git/refs.ts';
import {Refusal} from '../core/refusal.ts';
import {columnLines} from '../core/text/columns.ts';
import {escapeControls, escapeLine} from '../core/text/escape-controls.ts';
import type {Context} from '../engine/context.ts';
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
import {ask} from '../terminal/ask.ts';
import type {Io} from '../terminal/program.ts';
import {define, flag, json, optional, reason, text, type OptionValues} from './verb.ts';

const options = {
	project: text('PROJECT', 'by default the one of this folder'),
	from: text('REMOTE', 'the remote over which is asked; origin by default'),
	stat: flag('show: a summary in place of the change'),
	because: reason(),
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
function documentOf(request: OthersRequest | BadRequest) {
	if (isBad(request)) {
		return {run: request.run, ok: false, because: request.refusal.because};
	}

	const {run, file, statement} = request;
	const {by, target, base, head, tree, because, at, until, audit} = statement;
	return {run, ok: true, by, title: file.title, agent: file.agent, target, base, head, tree, because, at, until, audit};
}

async function list({io, place, options}: Request): Promise<void> {
	const requests = await listRequests(place);
	if (options.json) {
		io.json(requests.map(documentOf));
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

async function show({io, context, place, name, options}: Request): Promise<void> {
	const request = await findRequest(place, named(name));
	if (options.json) {
		io.json({...documentOf(request), diff: await requestDiff(context, place, {request, stat: options.stat})});
		return;
	}

	const {file, statement} = request;
	const line = (title: string, value: string) => (value === '' ? '' : `${title.padEnd(9)} ${escapeLine(value)}\n`);
	io.out(
		line('asks', statement.by) +
			line('task', file.title) +
			line('agent', file.agent) +
			line('into', `${branchName(statement.target)}, at ${statement.base.slice(0, 10)}`) +
			line('because', statement.because) +
			line('verified', `${file.verified} (on ${statement.by}'s machine)`) +
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

function answering(decision: 'approve' | 'reject') {
	return async ({io, context, place, name, options}: Request): Promise<void> => {
		const request = await findRequest(place, named(name));
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

const actions: Readonly<Record<string, (request: Request) => Promise<void>>> = {
	list,
	show,
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
	usage: '[list | show RUN | approve RUN | reject RUN]',
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
		await act({io, context, place, name: run, options});
	},
});
