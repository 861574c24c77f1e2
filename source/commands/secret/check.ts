import {exitCodes, Refusal} from '../../core/refusal.ts';
import type {Project} from '../../core/project.ts';
import {signInAgain, type StoredLogin} from '../../core/secrets/login.ts';
import {formatReference, widening} from '../../core/secrets/secret.ts';
import {escapeLine} from '../../core/text/escape-controls.ts';
import {localStamp} from '../../core/text/time.ts';
import type {Context} from '../../engine/context.ts';
import {resolveSecret} from '../../engine/grants/secret-values.ts';
import {listSecrets, type SecretEntry} from '../../engine/grants/secrets.ts';
import type {SecretAction} from './options.ts';
import {findNamed, projectHere, proposalFor} from './reference.ts';

type Finding = {readonly ok: boolean; readonly because: string};

function loginText({until, refresh}: StoredLogin): string {
	const end = until === undefined ? 'no known end' : `good until ${localStamp(new Date(until).toISOString())}`;
	return `a login, ${end}${refresh === undefined ? '' : ', then refreshed'}`;
}

/** Whether a secret's value can be read, and what is listed for it is what a person approved. */
async function checkOne(context: Context, entry: SecretEntry, project: Project | undefined): Promise<Finding> {
	if (entry.store === 'session') {
		return {ok: true, because: 'typed for each run'};
	}

	const {binding, login} = await resolveSecret(context, entry);
	if (login?.ended !== undefined) {
		throw new Refusal(login.ended, signInAgain(login));
	}

	const more = [...widening(binding, entry.binding), ...widening(entry.binding, binding)];
	// A list that is broken is said first: what was approved cannot be held against it.
	const proposal =
		entry.project !== undefined && project?.id === entry.project
			? await proposalFor(project, entry.reference)
			: undefined;
	if (more.length > 0) {
		return {
			ok: false,
			because: `what is listed is not what was approved (${more.join(', ')}); what was approved counts`,
		};
	}

	const asked = proposal ? widening(binding, proposal.binding) : [];
	return asked.length === 0
		? {ok: true, because: login ? loginText(login) : 'its value can be read'}
		: {
				ok: false,
				because:
					`the project asks for more than was approved: ${asked.join(', ')}; ` +
					`fleet secret approve ${entry.reference.name}`,
			};
}

/** `fleet secret check` */
export const check: SecretAction = async (context, io, request) => {
	const {entries, project} =
		request.name === undefined
			? {entries: listSecrets(context), project: await projectHere(context, io, request.options.in)}
			: await findNamed(context, io, request).then(({entry, project}) => ({entries: [entry], project}));
	const results: Array<Finding & {readonly reference: string; readonly project: string | null}> = [];
	for (const entry of entries) {
		const finding = await checkOne(context, entry, project).catch((error: unknown) => ({
			ok: false,
			because: error instanceof Refusal ? `${error.because} (${error.hint})` : (error as Error).message,
		}));
		results.push({reference: formatReference(entry.reference), project: entry.project ?? null, ...finding});
	}

	if (request.options.json) {
		io.json(results);
	} else {
		for (const {reference, project: own, ok, because} of results) {
			io.out(`${ok ? 'works' : 'FAILS'}  ${reference}${own === null ? '' : ` (${own})`}: ${escapeLine(because)}\n`);
		}
	}

	return results.every(result => result.ok) ? exitCodes.ok : exitCodes.gate;
};
