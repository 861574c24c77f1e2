import {compose} from '../compose.ts';
import {noText, requestText, standingNo} from '../core/deploy/request.ts';
import {exitCodes, orThrow, Refusal} from '../core/refusal.ts';
import {parseReference} from '../core/secrets/secret.ts';
import {decideDeploy, decideWindow} from '../core/run/rules.ts';
import {escapeControls, escapeLine} from '../core/text/escape-controls.ts';
import {localMinute, localStamp} from '../core/text/time.ts';
import {wallTime} from '../core/text/window.ts';
import type {Run} from '../core/run/run.ts';
import type {Context} from '../engine/context.ts';
import {deploy} from '../engine/handover/deploy.ts';
import {
	approveDeploy,
	checkLease,
	refuse,
	rejectDeploy,
	requestDeploy,
	refusing,
} from '../engine/handover/deploy-lease.ts';
import {decideBoundary, findTarget} from '../engine/handover/deploy-targets.ts';
import {planDeploy, type DeployPlan} from '../engine/handover/deploy-plan.ts';
import {findRun, withJournal} from '../engine/runs.ts';
import {resolveSecret} from '../engine/grants/secret-values.ts';
import {mustFindSecret, projectOf, type SecretEntry} from '../engine/grants/secrets.ts';
import {ask, askHidden, readLines} from '../terminal/ask.ts';
import type {Io} from '../terminal/program.ts';
import {sayRun} from './documents.ts';
import {toGateLog} from './journal/push.ts';
import {define, flag, json, reason, required, text, texts} from './verb.ts';

/** Where a deploy's credentials come from, as they were typed: from stdin in this order, or from the vault. */
type Sources = {readonly piped: readonly string[]; readonly named: ReadonlyMap<string, SecretEntry>};

function credentialSources(
	context: Context,
	deploy: {
		readonly run: Run;
		readonly target: string;
		readonly credentials: readonly string[];
		readonly typed: readonly string[];
	},
): Sources {
	const piped: string[] = [];
	const named = new Map<string, SecretEntry>();
	for (const text of deploy.typed) {
		const match = /^([A-Za-z_]\w*)=(-|fleet:\/\/.+)$/.exec(text);
		if (!match || !deploy.credentials.includes(match[1]!)) {
			throw new Refusal(
				match
					? `${deploy.target} needs no credential ${match[1]}`
					: 'a credential is written NAME=-, and its value comes on stdin, or NAME=fleet://project/NAME',
				deploy.credentials.length === 0 ? `${deploy.target} needs none` : `it needs: ${deploy.credentials.join(', ')}`,
			);
		}

		if (match[2] === '-') {
			piped.push(match[1]!);
		} else {
			const reference = orThrow(parseReference(match[2]!));
			named.set(match[1]!, mustFindSecret(context, reference, projectOf(reference, deploy.run.project)));
		}
	}

	return {piped, named};
}

/** The values of a deploy's credentials; a person is asked for those that were not said to come from elsewhere. */
async function credentialValues(
	context: Context,
	io: Io,
	{credentials, sources}: {readonly credentials: readonly string[]; readonly sources: Sources},
): Promise<Map<string, string>> {
	const values = new Map<string, string>();
	const lines = sources.piped.length === 0 ? [] : await readLines(sources.piped.length);
	for (const [index, wanted] of sources.piped.entries()) {
		values.set(wanted, lines[index] ?? '');
	}

	for (const [wanted, entry] of sources.named) {
		values.set(wanted, (await resolveSecret(context, entry)).value);
	}

	for (const wanted of credentials) {
		if (!values.has(wanted) && io.interactive) {
			values.set(wanted, await ask(`${wanted} (hidden): `, true));
		}
	}

	return values;
}

/** What a deploy would do, in lines, or as a document. */
function sayPlan(io: Io, plan: DeployPlan, asJson: boolean): void {
	const {target, command, credentials, window, commit, last, added, removed} = plan;
	if (asJson) {
		io.json({...plan, window: window ?? null, last: last ?? null, added: added ?? null, removed: removed ?? null});
		return;
	}

	const line = (title: string, text: string) => io.out(`${title.padEnd(12)} ${escapeLine(text)}\n`);
	line('target', target);
	line('command', command);
	line('window', window ?? 'any time');
	line('credentials', credentials.join(', ') || 'none');
	line('commit', commit);
	line('last good', last ? `${last.commit}, ${last.run}, ${localStamp(last.at)}` : 'none: the first deploy there');
	for (const [title, list] of [
		['brings', added],
		['takes back', removed],
	] as const) {
		if (list && list.count > 0) {
			line(title, `${list.count} ${list.count === 1 ? 'commit' : 'commits'}`);
			for (const one of list.newest) {
				line('', `${one.commit.slice(0, 10)} ${one.subject}`);
			}
		}
	}
}

/** Somebody asks for a deploy, or says yes or no to one: each is signed, and nothing is run. */
async function decideAbout(
	context: Context,
	io: Io,
	{
		run: {id},
		target,
		options,
	}: {
		readonly run: Run;
		readonly target: string;
		readonly options: {
			readonly request: boolean;
			readonly approve: boolean;
			readonly reject: boolean;
			readonly because: string;
			readonly key: string | undefined;
			readonly json: boolean;
		};
	},
): Promise<number> {
	const {request, approve, reject, because, key} = options;
	const given = Object.entries({request, approve, reject}).flatMap(([name, isGiven]) => (isGiven ? [`--${name}`] : []));
	if (given.length > 1) {
		throw new Refusal(`${given.join(' and ')} do not go together`, `fleet deploy ${id} ${target} ${given.at(-1)}`);
	}

	if (reject && because.trim() === '') {
		throw new Refusal('a no needs a reason', 'say why with --because "…"');
	}

	if (request && because.trim() === '') {
		throw new Refusal('who is to say yes wants to know why', 'say why with --because "…"');
	}

	const text = await withJournal(context, id, async journal => {
		const decision = {target, because, key};
		if (request) {
			const {requester, until} = await requestDeploy(context, journal, decision);
			const no = standingNo(journal.run.deployAnswers, target);
			const left = escapeLine(no ? `is ${noText(no)}` : requestText(journal.run.deployRequest!));
			return `${requester} asks for a deploy of ${id} to ${target}, which ${left}, until ${localMinute(until)}\n`;
		}

		if (reject) {
			const {approver} = await rejectDeploy(context, journal, decision);
			return `${approver} rejected deploys of ${id} to ${target}, until ${approver} approves one\n`;
		}

		// What is said yes to, before it is signed.
		sayPlan({...io, out: io.err}, await planDeploy(context, journal.run, target), false);
		const {approver, until} = await approveDeploy(context, journal, decision);
		return `${approver} approved one deploy of ${id} to ${target}, until ${localMinute(until)}\n`;
	});
	sayRun(io, context, {run: id, json: options.json, text});
	return exitCodes.ok;
}

export const verb = define({
	summary: "run a target's command on the merged commit",
	arguments: {run: required('RUN'), target: required('TARGET')},
	options: {
		because: reason(),
		confirm: text('TARGET', "the target's name once more, in place of typing it"),
		credential: texts(
			'NAME=SOURCE',
			'NAME=- reads it from stdin, one line each, in this order; NAME=fleet://project/NAME takes it from the vault',
		),
		request: flag('ask those whose yes the policy wants, signed with your SSH key; needs --because'),
		approve: flag('say yes to what was asked for, signed with your SSH key: for some minutes, and one deploy'),
		reject: flag('say no to what was asked for, signed, until you approve one; needs --because'),
		key: text('FILE', "the SSH key to sign with; git's user.signingKey by default"),
		dryRun: flag('say what it would run, and which commits it would bring; nothing is run'),
		outsideWindow: flag('now, although the policy gives the target another time; needs --because'),
		json,
	},
	brief: ['confirm', 'credential', 'outsideWindow', 'request', 'approve', 'reject'],
	async run(io, {run: name, target}, options) {
		const context = compose(askHidden(io.interactive));
		const run = findRun(context, name);
		if (options.dryRun) {
			const refusal = decideDeploy(run, context.actor, {target, confirmed: target});
			if (refusal) {
				throw refusal;
			}

			sayPlan(io, await planDeploy(context, run, target), options.json);
			return exitCodes.ok;
		}

		if (options.request || options.approve || options.reject) {
			return decideAbout(context, io, {run, target, options});
		}

		const order = {because: options.because, outside: options.outsideWindow};
		if (order.outside && order.because.trim() === '') {
			throw new Refusal('a deploy outside of its window needs a reason', 'say why with --because "…"');
		}

		// A refusal is a line of the journal, too; nobody is asked for a credential before it.
		const refuseIf = async (refusal: Refusal | undefined) => {
			if (refusal) {
				await withJournal(context, run.id, async journal => refuse(context, journal, refusal));
			}
		};

		await refuseIf(decideDeploy(run, context.actor, {target, confirmed: target}));

		const {
			target: {command, credentials, window},
		} = await findTarget(context, run, target);
		await refuseIf(decideBoundary(target));
		await refuseIf(decideWindow({target, window}, wallTime(Date.now()), order.outside ? order.because : undefined));

		await withJournal(context, run.id, journal =>
			refusing(context, journal, () => checkLease(context, journal.run, target)),
		);
		const sources = credentialSources(context, {run, target, credentials, typed: options.credential});
		let confirmed = options.confirm;
		if (confirmed === undefined && io.interactive) {
			io.err(`deploy ${run.merge!.commit.slice(0, 10)} to ${target}: ${escapeLine(command)}\n`);
			confirmed = await ask(`type the target's name to go on: `, false);
		}

		// Nobody is asked for a credential of a deploy that is refused.
		const values = decideDeploy(run, context.actor, {target, confirmed})
			? new Map<string, string>()
			: await credentialValues(context, io, {credentials, sources});
		let ended = '';
		const outcome = await withJournal(context, run.id, async journal => {
			const came = await deploy(context, journal, {
				target,
				order: {...order, confirmed},
				credentials: values,
				onOutput: text => io.out(escapeControls(text)),
			});
			ended = came === 'succeeded' ? '' : `: ${journal.run.because.replace(`${target}: `, () => '')}`;
			return came;
		});
		await toGateLog(context, io, run.id);
		sayRun(io, context, {run: run.id, json: options.json, text: `${target}: ${outcome}${escapeLine(ended)}\n`});
		if (outcome === 'succeeded') {
			return exitCodes.ok;
		}

		io.report({outcome: {because: `${target}: ${outcome}${escapeLine(ended)}`, hint: `fleet logs ${run.id} --deploy`}});
		return outcome === 'failed' ? exitCodes.gate : exitCodes.inconclusive;
	},
});
