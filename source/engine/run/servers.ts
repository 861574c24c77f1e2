import path from 'node:path';
import {printable} from '../../core/names.ts';
import {proxyPort} from '../../core/plan.ts';
import type {AgentServer} from '../../core/seams.ts';
import {isInForce} from '../../core/scope.ts';
import {groupName} from '../../host/cgroup.ts';
import {openedBy} from '../../scopes/registry.ts';
import {knownTools, rememberTools} from '../mcp/approvals.ts';
import {findServer} from '../mcp/definitions.ts';
import {Gateway} from '../mcp/gateway.ts';
import {readBoundaries} from '../grants/boundary.ts';
import {behindOf} from '../grants/prepare.ts';
import {termsFor} from '../grants/terms.ts';
import {orThrow} from '../../core/refusal.ts';
import {proposedOf} from '../mcp/secrets.ts';
import type {ServerSetup} from '../mcp/served.ts';
import {transportOf} from '../mcp/transport.ts';
import {noteRefused} from './network-events.ts';
import {note, type Supervision} from './supervision.ts';
import {countUse} from './uses.ts';

/* The MCP servers of a run: which it may use now, where its agent finds them, and what is written down. */

/** How long the answer of a last call has to reach the agent, milliseconds. */
const lastAnswerMs = 1000;

/** The servers that a run may use at this moment. While it is frozen, none. */
function grantedServers({journal: {run}}: Supervision): string[] {
	return run.stage === 'frozen'
		? []
		: run.grants.filter(grant => isInForce(grant, Date.now())).flatMap(({scope}) => openedBy(scope).server ?? []);
}

/** What an agent that starts now is told of its servers. */
export function serversForAgent(supervision: Supervision): AgentServer[] {
	const names = grantedServers(supervision);
	supervision.servers.told = new Set(names);
	return names.map(name => ({name, url: `http://127.0.0.1:${proxyPort}/mcp/${name}`}));
}

/** Why a server that is turned on now waits for the agent's next start; undefined where it does not. */
export function serverWaits({servers}: Supervision, scope: string): string | undefined {
	const {server} = openedBy(scope);
	return server === undefined || servers.told.has(server) ? undefined : 'its agent reads its servers when it starts';
}

/** The way to the servers, for the run's listener. Nothing is started until the agent asks. */
export function openGateway(supervision: Supervision): Gateway {
	const {secrets} = supervision;
	return new Gateway({
		granted: name => grantedServers(supervision).includes(name),
		pointers: () => secrets.pointers(),
		onCall: name => countUse(supervision, `mcp:${name}`),
		onCalled(call) {
			note(supervision, {type: 'mcp.called', ...call}, false);
			if (!grantedServers(supervision).includes(call.server)) {
				// It was the last one: once it is answered, the server ends.
				setTimeout(() => supervision.opened.session?.proxy.cut(), lastAnswerMs).unref();
			}
		},
		onAlarm: (server, because) => noteRefused(supervision, 'alarm.raised', {target: `mcp:${server}`, because}),
		setup: (name, tell) => setUpServer(supervision, name, tell),
	});
}

async function setUpServer(
	supervision: Supervision,
	name: string,
	{onChanged}: Pick<ServerSetup, 'onChanged'>,
): Promise<ServerSetup> {
	const {context, journal, places, secrets, servers, hooks} = supervision;
	const {run} = journal;
	const server = await findServer(context, name, {from: await proposedOf(context, run)});
	const {owner, definition} = server;
	// What it may use can have become more since it was granted.
	const walls = readBoundaries().map(({wall}) => wall);
	orThrow(termsFor({walls}, `mcp:${name}`, behindOf(undefined, server)));
	const handed = servers.secrets.get(`mcp:${name}`) ?? [];
	const open = transportOf(context, {
		server,
		project: run.project,
		id: `${run.id}.mcp.${name}`,
		folder: path.join(places.servers, name),
		group: `${groupName(places)}.mcp-${name}`,
		secrets: handed,
		onRefused: (target, because) =>
			noteRefused(supervision, 'request.refused', {
				target: `mcp:${name}`,
				because: `the server asked for ${printable(target, 100)}: ${because}`,
			}),
		hooks,
	});
	return {
		name,
		definition,
		open,
		values: () => [
			...handed.flatMap(({value, previous}) => (previous === undefined ? [value] : [value, previous])),
			...secrets.values(),
		],
		known: () => knownTools(context, {owner, name}),
		remember: digests => rememberTools(context, {owner, name}, {digests, allowed: false}),
		onChanged,
		onWithheld: (tool, because) =>
			noteRefused(supervision, 'alarm.raised', {
				target: `mcp:${name}`,
				because: `the tool ${printable(tool, 100)} is withheld: ${because}; see fleet mcp tools ${name}`,
			}),
	};
}
