import {escapeLine} from '../../core/text/escape-controls.ts';
import {listServers} from '../../engine/mcp/definitions.ts';
import {asTyped} from '../../terminal/as-typed.ts';
import {proposedHere, serverDocument, type McpAction} from './options.ts';

/** `fleet mcp list` */
export const list: McpAction = async (context, io, {options}) => {
	const servers = await listServers(context, await proposedHere(context, io, options.in));
	const documents = servers.map(server => serverDocument(server));
	if (options.json) {
		io.json(documents);
		return;
	}

	if (documents.length === 0) {
		io.out(asTyped('no MCP servers outside: fleet mcp add NAME -- COMMAND…\n'));
		return;
	}

	const rows = [
		['NAME', 'OF', 'TOOLS', 'SERVER'],
		...documents.map(({name, project, approved, command, url, tools}, index) => [
			name,
			ownText(documents.findIndex(other => other.name === name) < index, project, approved),
			tools?.join(' ') ?? 'read-only',
			escapeLine(command?.join(' ') ?? url ?? ''),
		]),
	];
	const widths = rows[0]!.map((_, column) => Math.max(...rows.map(row => row[column]!.length)));
	for (const row of rows) {
		io.out(
			`${row
				.map((cell, column) => cell.padEnd(widths[column]!))
				.join('  ')
				.trimEnd()}\n`,
		);
	}
};

function ownText(isHidden: boolean, project: string | null, approved: boolean): string {
	if (project === null) {
		return 'yours';
	}

	if (isHidden) {
		return `${project} (hidden by yours)`;
	}

	return approved ? project : `${project} (not approved)`;
}
