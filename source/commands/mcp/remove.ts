import {Refusal} from '../../core/refusal.ts';
import {forgetServers, isApproved, ownOwner} from '../../engine/mcp/approvals.ts';
import {ownServers, proposedServers, writeOwnServer} from '../../engine/mcp/definitions.ts';
import {listRuns} from '../../engine/runs.ts';
import {nameOf, proposedHere, serverDocument, type McpAction} from './options.ts';

/** `fleet mcp remove`: one of the person's own, or the yes to one of a project's. */
export const remove: McpAction = async (context, io, request) => {
	const {options} = request;
	const name = nameOf(request, 'fleet mcp remove memory');
	const scope = `mcp:${name}`;
	const holders = listRuns(context).filter(
		run => (run.stage === 'running' || run.stage === 'frozen') && run.grants.some(grant => grant.scope === scope),
	);
	if (holders.length > 0) {
		throw new Refusal(
			`${scope} is in use by ${holders.map(({id}) => id).join(', ')}`,
			holders.map(({id}) => `fleet revoke ${id} ${scope}`).join('; '),
		);
	}

	const own = ownServers(context).get(name);
	const from = own ? undefined : await proposedHere(context, io, options.in);
	const proposed = from && (await proposedServers(from.git, from.commit)).get(name);
	const definition = own ?? proposed;
	const owner = own ? ownOwner : from?.project.id;
	if (!definition || owner === undefined || (!own && !isApproved(context, {owner, name}, definition))) {
		throw new Refusal(`there is no MCP server "${name}" to remove`, 'fleet mcp list');
	}

	if (own) {
		writeOwnServer(context, name, undefined);
	}

	forgetServers(context, owner, name);
	if (options.json) {
		io.json(serverDocument({name, owner, definition, approved: false}));
	} else {
		io.out(own ? `${name} is removed\n` : `${name} of ${owner} is no longer approved\n`);
	}
};
