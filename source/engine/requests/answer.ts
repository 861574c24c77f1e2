import {answerRef} from '../../core/git/refs.ts';
import {answerFile} from '../../core/people/request-file.ts';
import {Refusal} from '../../core/refusal.ts';
import {flagsOf} from '../../core/review/flags.ts';
import {decideUnviewed} from '../../core/review/unviewed.ts';
import type {Context} from '../context.ts';
import {refuseSecretReason} from '../grants/secret-text.ts';
import {countsNot} from '../handover/sign-off.ts';
import {ownKey} from '../people/decisions.ts';
import {ruleFor, signStatement, whoSigns} from '../people/statements.ts';
import {commitFile, pushTo} from './carry.ts';
import {requestFiles, type OthersRequest, type Place} from './read.ts';
import {verifiedHere, verifiedText} from './verify.ts';

/** How a request is answered. */
export type Answer = {
	readonly request: OthersRequest;
	readonly decision: 'approve' | 'reject';
	readonly because: string;
	/** The SSH key to sign with; git's `user.signingKey` by default. */
	readonly key?: string | undefined;
	/** The word that the policy asks for, as it was typed. */
	readonly confirmed?: string | undefined;
};

/**
 * Signs a person's answer to what another machine asks, and pushes it to a branch of theirs.
 * @returns who answered
 * @throws Refusal where it would not count, or was not looked at and has no reason: then nothing is signed
 */
export async function answer(
	context: Context,
	place: Place,
	{request, decision, because, key: named, confirmed}: Answer,
): Promise<string> {
	await refuseSecretReason(context, place.project, because);
	const {deciders, subject, statement, run, commit} = request;
	const {word} = deciders.policy.approve;
	if (decision === 'approve' && word !== undefined && confirmed !== word) {
		throw new Refusal(`the policy asks for a word with an approval, and it was not typed`, `--confirm ${word}`, 3);
	}

	const files = await requestFiles(context, place, request);
	const here = verifiedHere(context, place, request);
	if (decision === 'approve' && here?.result === 'failed' && because.trim() === '') {
		throw new Refusal(
			`it failed on this machine: ${here.because}`,
			`fleet requests approve ${run} --because "…", or reject it`,
			3,
		);
	}

	if (decision === 'approve') {
		const facts = {
			verify: deciders.policy.verify.commands,
			instructions: context.agents.flatMap(agent => agent.instructions),
		};
		const unviewed = decideUnviewed(
			{id: run},
			files?.filter(file => flagsOf(file, facts).length > 0),
			because,
		);
		if (unviewed) {
			throw new Refusal(unviewed.because, `fleet requests approve ${run} --because "…"`, unviewed.exitCode);
		}
	} else if (because.trim() === '') {
		throw new Refusal('a no needs a reason', 'say why with --because "…"');
	}

	const key = await ownKey(place.checkout, named);
	const by = await whoSigns(deciders, key, subject.target);
	const rule = ruleFor(context, deciders, files);
	const refusal = countsNot(deciders, {decision, by, rule, requester: statement.by, run: {id: run}});
	if (refusal) {
		throw refusal;
	}

	const signed = await signStatement(
		{subject, deciders, by},
		{
			decision,
			because,
			audit: statement.audit,
			verifiedHere: here && verifiedText(here).slice(0, 1000),
			requester: statement.by,
			key,
		},
	);
	const answered = await commitFile(place.git, {
		parent: commit,
		name: answerFile,
		text: `${JSON.stringify({version: 1, statement: signed}, undefined, '\t')}\n`,
		message: `An answer to the request for ${run}`,
	});
	await pushTo(place.carrier, answered, answerRef(run, by));
	return by;
}
