import {text} from './proc-text.ts';

/** Ports that are told of: a run may listen on any number. */
const maxPorts = 20;

/** Reads a table such as /proc/PID/net/tcp: the ports that its listeners have on loopback, or on every address. */
export function listenersOf(table: string): number[] {
	const local = /^(?:0100007F|0{8}|0{24}01000000|0{32}|0{16}FFFF00000100007F)$/;
	return [...table.matchAll(/^\s*\d+: ([0-9A-F]+):([0-9A-F]{4}) \S+ 0A /gm)]
		.filter(([, address]) => local.test(address!))
		.map(([, , port]) => Number.parseInt(port!, 16));
}

/**
 * The ports on which programs in a process's network namespace listen, in ascending order; the lowest of very many.
 * @param pid the host's id of a process in it
 * @param without what is not the programs' own
 */
export function listeningPorts(pid: number, without: readonly number[]): number[] {
	const ports = new Set(['tcp', 'tcp6'].flatMap(name => listenersOf(text(`/proc/${pid}/net/${name}`))));
	return [...ports]
		.filter(port => !without.includes(port))
		.sort((a, b) => a - b)
		.slice(0, maxPorts);
}
