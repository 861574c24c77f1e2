import {existsSync} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import {root} from './fleet.ts';

/* Reference servers, and the SDK's client: https://github.com/modelcontextprotocol */

/** Where the packages are. */
export const serversFolder = path.join(root, 'scripts', 'mcp');

/** The SDK's modules. */
export const sdkFolder = path.join(serversFolder, 'node_modules', '@modelcontextprotocol', 'sdk', 'dist', 'esm');

/** A program of one of the reference servers. */
export function serverProgram(name: string): string {
	return path.join(serversFolder, 'node_modules', '@modelcontextprotocol', name, 'dist', 'index.js');
}

/** The server that has one of everything, over its pipes. */
export const everything = ['node', serverProgram('server-everything'), 'stdio'];

/** Why tests with them are left out; never in CI. */
export const leftOut =
	existsSync(serverProgram('server-everything')) || process.env['CI'] ? false : 'not installed: npm test installs them';
