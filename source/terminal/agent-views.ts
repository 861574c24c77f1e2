import type {Agent} from '../core/seams.ts';
import {findOnPath} from '../host/program.ts';
import type {AgentView} from '../protocol/client.ts';

/** Agents as the form of a new run shows them, in their order. */
export function agentViews(agents: readonly Agent[]): readonly AgentView[] {
	return agents.map(({id, title, program, model, instructions}) => ({
		id,
		title,
		installed: program === undefined || findOnPath(program) !== undefined,
		instructions,
		model: model && {secret: model.secret, login: model.login?.secret, hosts: model.binding.hosts},
	}));
}
