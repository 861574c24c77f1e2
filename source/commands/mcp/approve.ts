import {describeServer} from '../../core/mcp/definition.ts';
import {personRefusal, Refusal} from '../../core/refusal.ts';
import {escapeLine} from '../../core/text/escape-controls.ts';
import {approve as remember, ownOwner} from '../../engine/mcp/approvals.ts';
import {findServer} from '../../engine/mcp/definitions.ts';
import {ask} from '../../terminal/ask.ts';
import {nameOf, proposedHere, serverDocument, type McpAction} from './options.ts';

/** `fleet mcp approve` */
export const approve: McpAction = async (context, io, request) => {
	const {options} = request;
	const name = nameOf(request, 'fleet mcp approve github');
	const server = await findServer(context, name, {
		from: await proposedHere(context, io, options.in),
		unapproved: true,
	});
	const say = (text: string) => {
		if (options.json) {
			io.json(serverDocument({...server, approved: true}));
		} else {
			io.out(text);
		}
	};

	if (server.owner === ownOwner) {
		say(`${name} is yours, and needs no approval\n`);
		return;
	}

	if (server.approved) {
		say(`${name} is approved as it is\n`);
		return;
	}

	io.err(
		`${escapeLine(server.owner)} proposes the MCP server ${name}, which runs outside of the sandboxes:\n` +
			describeServer(server.definition)
				.map(line => `  ${escapeLine(line)}\n`)
				.join(''),
	);
	if (!options.yes) {
		if (!io.interactive) {
			throw personRefusal(
				'what a project proposes is approved by a person, and there is nobody to ask',
				'look at it, then: --yes',
			);
		}

		if (!/^y(?:es)?$/i.test((await ask('approve exactly this? [y/N] ', false)).trim())) {
			throw new Refusal('it was not approved', 'nothing was written');
		}
	}

	remember(context, server, server.definition);
	say(`${name} is approved for ${escapeLine(server.owner)}, as it is now\n`);
};
