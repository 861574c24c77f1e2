import {isReadOnly, judgeTools, toolText, type Tool} from '../../core/mcp/tools.ts';
import {printable} from '../../core/names.ts';
import {Refusal} from '../../core/refusal.ts';
import {escapeLine} from '../../core/text/escape-controls.ts';
import {knownTools, rememberTools} from '../../engine/mcp/approvals.ts';
import {findServer} from '../../engine/mcp/definitions.ts';
import {lookAtServer} from '../../engine/mcp/look.ts';
import {digestOf} from '../../engine/mcp/served.ts';
import {asTyped} from '../../terminal/as-typed.ts';
import {nameOf, proposedHere, type McpAction} from './options.ts';

/** `fleet mcp tools`: asks the server in its sandbox, and with --allow remembers tools as they are now. */
export const tools: McpAction = async (context, io, request) => {
	const {options} = request;
	const name = nameOf(request, 'fleet mcp tools memory');
	const from = await proposedHere(context, io, options.in);
	const server = await findServer(context, name, {from});
	const {owner, definition} = server;
	const {tools: listed, refused} = await lookAtServer(context, server, from?.project);
	const missing = options.allow.find(wanted => !listed.some(tool => tool.name === wanted));
	if (missing !== undefined) {
		throw new Refusal(
			`${name} has no tool "${printable(missing)}"`,
			`tools: ${listed
				.map(tool => tool.name)
				.slice(0, 20)
				.join(', ')}`,
		);
	}

	if (options.allow.length > 0) {
		const allowed = listed.filter(tool => options.allow.includes(tool.name));
		const digests = Object.fromEntries(allowed.map(tool => [tool.name, digestOf(toolText(tool))]));
		rememberTools(context, {owner, name}, {digests, allowed: true});
	}

	const known = knownTools(context, {owner, name});
	const {shown, withheld} = judgeTools(listed, definition, {known, digest: digestOf});
	const because = new Map(withheld.map(tool => [tool.name, tool.because]));
	const documents = listed.map(tool => ({
		name: tool.name,
		allowed: shown.some(other => other.name === tool.name),
		because: because.get(tool.name) ?? null,
		readOnly: isReadOnly(tool),
		description: descriptionOf(tool),
		digest: digestOf(toolText(tool)),
	}));
	if (options.json) {
		io.json({server: name, tools: documents, refused});
		return;
	}

	for (const {name: tool, allowed, because: why, readOnly, description} of documents) {
		io.out(
			`${allowed ? '✓' : '·'} ${tool}${readOnly ? '  (says that it only reads)' : ''}${why === null ? '' : `  ${why}`}\n` +
				`    ${escapeLine(description.split('\n')[0]!.slice(0, 160))}\n`,
		);
	}

	for (const line of refused) {
		io.err(`it was refused ${escapeLine(line)}\n`);
	}

	if (withheld.length > 0) {
		io.err(asTyped(`  fleet mcp tools ${name} --allow TOOL lets runs call one, as it is now\n`));
	}
};

function descriptionOf({description}: Tool): string {
	return typeof description === 'string' ? description : '';
}
