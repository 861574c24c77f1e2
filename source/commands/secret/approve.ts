import {Refusal} from '../../core/refusal.ts';
import {describeBinding, formatReference, widening} from '../../core/secrets/secret.ts';
import {mustFindSecret, rebindSecret, type SecretEntry} from '../../engine/grants/secrets.ts';
import {listRuns} from '../../engine/runs.ts';
import {ask} from '../../terminal/ask.ts';
import {secretDocument} from '../documents.ts';
import {holdersOf} from './holders.ts';
import type {SecretAction} from './options.ts';
import {findNamed, proposalFor} from './reference.ts';

/** `fleet secret approve` */
export const approve: SecretAction = async (context, io, request) => {
	const {entry, project} = await findNamed(context, io, request);
	const say = (entry: SecretEntry, text: string) => {
		if (request.options.json) {
			io.json(secretDocument(entry, holdersOf(listRuns(context), entry)));
		} else {
			io.out(`${formatReference(entry.reference)}: ${text}\n`);
		}
	};

	const proposal = await proposalFor(project, entry.reference);
	const more = proposal ? widening(entry.binding, proposal.binding) : [];
	if (!proposal || more.length === 0) {
		const because = proposal ? 'nothing more is asked for' : 'the project proposes nothing for it';
		say(entry, because);
		return;
	}

	io.err(
		`${formatReference(entry.reference)} is approved for: ${describeBinding(entry.binding)}\n` +
			`the project asks for more: ${more.join(', ')}\n`,
	);
	if (
		!request.options.yes &&
		!(io.interactive && /^y(?:es)?$/i.test((await ask('approve this? [y/N] ', false)).trim()))
	) {
		throw new Refusal(
			'it was not approved',
			io.interactive ? 'what was approved before stays' : 'a person approves: in a terminal, or with --yes',
		);
	}

	await rebindSecret(context, entry, proposal.binding);
	say(mustFindSecret(context, entry.reference, entry.project), describeBinding(proposal.binding));
};
