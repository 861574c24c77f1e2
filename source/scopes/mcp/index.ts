import {serverName} from '../../core/mcp/names.ts';
import {Refusal} from '../../core/refusal.ts';
import type {ScopeKind} from '../../core/scope.ts';

/** Use one MCP server that runs outside, with the tools that were allowed. */
export const mcp: ScopeKind = {
	id: 'mcp',
	title: 'use one MCP server outside, with the tools that were allowed',
	usage: 'mcp:NAME',
	mark: 'mcp',
	byDefault: false,
	warning:
		'the run acts through this server with what it may use: its files, hosts and login; what it answers, the agent reads',
	parse: subject =>
		serverName.test(subject)
			? subject
			: new Refusal(
					`"${subject.slice(0, 60)}" is not an MCP server`,
					'write mcp:NAME, with lower-case letters, digits and dashes',
				),
	available: () => undefined,
	opens: subject => ({server: subject}),
};
