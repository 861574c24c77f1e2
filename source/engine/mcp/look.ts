import {randomBytes} from 'node:crypto';
import {mkdtempSync, rmSync} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type {Project} from '../../core/project.ts';
import {printable} from '../../core/names.ts';
import {Refusal} from '../../core/refusal.ts';
import type {Tool} from '../../core/mcp/tools.ts';
import type {Context} from '../context.ts';
import {RemoteFault} from '../logins/fault.ts';
import {Connection} from './connection.ts';
import type {KnownServer} from './definitions.ts';
import {handServer} from './secrets.ts';
import {defaults} from './limits.ts';
import {transportOf} from './transport.ts';

/** What a server says of its tools now, asked in its own sandbox, for a person. @throws Refusal where it does not say */
export async function lookAtServer(
	context: Context,
	server: KnownServer,
	project: Pick<Project, 'id'> | undefined,
): Promise<{readonly tools: readonly Tool[]; readonly refused: readonly string[]}> {
	const {name, definition} = server;
	const folder = mkdtempSync(path.join(os.tmpdir(), 'fleet-mcp-'));
	const refused = new Set<string>();
	const mark = randomBytes(4).toString('hex');
	try {
		const open = transportOf(context, {
			server,
			project,
			id: `mcp.${name}.${mark}`,
			folder: path.join(folder, name),
			group: `fleet-mcp-look-${mark}`,
			secrets: await handServer(context, server, project),
			onRefused: (target, because) => refused.add(`${printable(target, 100)}: ${because}`),
		});
		const connection = new Connection(open, {timeoutMs: definition.timeout ?? defaults.timeoutMs});
		try {
			await connection.start();
			return {tools: await connection.listTools(), refused: [...refused]};
		} finally {
			await connection.close('it was looked at');
		}
	} catch (error) {
		if (!(error instanceof RemoteFault)) {
			throw error;
		}

		const [first] = refused;
		throw new Refusal(
			`the MCP server "${name}" does not come up: ${printable(error.message, 300)}` +
				(first === undefined ? '' : `; it asked for ${first}`),
			first === undefined
				? 'see whether its command works by itself, and what its definition lets it use'
				: 'name the host under network in its definition, if it needs it',
		);
	} finally {
		rmSync(folder, {recursive: true, force: true});
	}
}
