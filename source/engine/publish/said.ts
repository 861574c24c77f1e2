import {remarksPrompt, untold} from '../../core/publish/remarks.ts';
import {gateRefusal} from '../../core/refusal.ts';
import type {Journal} from '../../host/journal.ts';
import type {Context} from '../context.ts';
import {checkPrompt} from '../run/check-prompt.ts';
import {look, mustBePublished, writeDown, type LookOrder} from './look.ts';

/**
 * What people and checks said at the forge since the agent was last told, as a prompt. How it stands is written down, too.
 * @returns the prompt, and what to write down once it is sent
 * @throws Refusal where there is nothing
 */
export async function whatWasSaid(
	context: Context,
	journal: Journal,
	order: LookOrder = {},
): Promise<{readonly prompt: string; readonly ids: string[]}> {
	mustBePublished(journal.run);
	const {state, heard, checks} = await look(context, journal.run, order);
	writeDown(journal, state);
	const {run} = journal;
	const news = untold(run.published!, heard, checks);
	// What looks like a credential goes to no model, whoever wrote it.
	const isFit = async ({text}: {readonly text: string}) =>
		checkPrompt(context, text, {project: run.project}).then(
			() => true,
			() => false,
		);
	const fit = async <One extends {readonly text: string}>(all: readonly One[]): Promise<One[]> => {
		const found: One[] = [];
		for (const one of all) {
			if (await isFit(one)) {
				found.push(one);
			}
		}

		return found;
	};

	const told = remarksPrompt(run, run.published!, {remarks: await fit(news.remarks), checks: await fit(news.checks)});
	if (told.ids.length === 0) {
		const others = state.others === 0 ? '' : `; ${state.others} remarks are of people whom the policy does not name`;
		throw gateRefusal(
			`nothing was said there that the agent was not told${others}`,
			state.others === 0 ? `fleet publish ${run.id} --refresh` : 'publish: {from: [LOGIN]} in the policy names them',
		);
	}

	return told;
}
