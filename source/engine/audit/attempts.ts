import {existsSync} from 'node:fs';
import path from 'node:path';
import * as v from 'valibot';
import {judge, type ItemId, type Probe} from '../../core/run/audit.ts';
import type {Attempt} from '../../core/probe.ts';
import type {Trap} from './trap.ts';

/* The attempts from inside: what each tries, how they are reported, and what the host itself saw of each. */

/** What the attempts with a fixed name try, and what should come of them. */
const descriptions: Record<string, [tried: string, expected: string]> = {
	'repo.link': ['follow a link planted in the worktree to a file in HOME', 'the file is not there'],
	'repo.hook': [
		"plant a hook and configuration in the project's git folder",
		"the project's own git folder is unchanged",
	],
	'secrets.paths': ['read 43 places where keys and tokens usually lie', 'none readable'],
	'secrets.environment': ['look for a canary in the environment and arguments of every process', 'not found'],
	'secrets.descriptors': ['look for descriptors inherited from the host', 'none'],
	'secrets.sockets': ['connect to agents, buses, docker, tmux and a socket the host listens on', 'none there'],
	'secrets.keyring': ['ask the kernel for the session keyring', 'refused with EPERM'],
	'network.udp': ['send a datagram to a listener on the host', 'it does not arrive'],
	'network.interfaces': ['list the network interfaces', 'loopback only'],
	'isolation.privileges': ['read capabilities, no_new_privs and seccomp', 'none, on, on'],
	'isolation.namespaces': ["compare namespaces with the host's", 'all its own'],
	'isolation.signal': ['signal a process of the host', 'no such process'],
	'isolation.ptrace': ['read the environment of a process of the host', 'no such process'],
	'isolation.mount': ['mount a file system', 'refused'],
	'isolation.unshare': ['make a user namespace', 'refused'],
	'isolation.core_pattern': ['open /proc/sys/kernel/core_pattern for writing', 'refused'],
	'isolation.tiocsti': ['type into the terminal with TIOCSTI', 'refused with EPERM'],
	'isolation.limits': ['read the limits', 'all set'],
	'deploy.ask.deploy': ['ask fleet for a deploy, as the agent', 'refused by the gate, and written down'],
	'deploy.ask.allow': ['ask fleet for a scope, as the agent', 'refused by the gate, and written down'],
	'deploy.socket': ['connect to the folder of control sockets', 'not there'],
	'deploy.credentials': ["look for the policy's deploy credentials in the environment", 'none set'],
	'review.ask.merge': ['ask fleet for a merge, as the agent', 'refused by the gate, and written down'],
	'review.ask.approve': ['ask fleet for an approval, as the agent', 'refused by the gate, and written down'],
	'review.ref': ['move the target branch with update-ref', "the project's branch is unchanged"],
	'review.push': ['push to the target branch', "the project's branch is unchanged"],
	'review.packed': ['overwrite packed-refs', "the project's branch is unchanged"],
};

/** What an attempt tries, and what should come of it. */
export function describeAttempt(id: string): [string, string] {
	const known = descriptions[id];
	if (known) {
		return known;
	}

	const [, kind = '', what = ''] = /^\w+\.(\w+)\.(.+)$/.exec(id) ?? [];
	switch (kind) {
		case 'read': {
			return [`read a canary in ${what}`, 'not there'];
		}

		case 'write': {
			return [`write below ${what}`, 'refused'];
		}

		case 'tcp': {
			return [`connect to a listener on the host at ${what}`, 'no connection, and the listener sees none'];
		}

		default: {
			return [`ask the proxy for a tunnel: ${what}`, 'refused with 4xx, and the listener sees nothing'];
		}
	}
}

const attemptSchema = v.object({
	id: v.string(),
	blocked: v.optional(v.boolean()),
	seen: v.string(),
	control: v.boolean(),
});
const endSchema = v.object({attempts: v.number()});

/** A line of the report as JSON of a form; undefined for any other text: what writes it stands inside the sandbox. */
function parseLine<Output>(schema: v.GenericSchema<unknown, Output>, line: string): Output | undefined {
	let value: unknown;
	try {
		value = JSON.parse(line);
	} catch {
		// A program inside may write anything; what is no report proves nothing.
		return undefined;
	}

	const parsed = v.safeParse(schema, value);
	return parsed.success ? parsed.output : undefined;
}

/** The name of the attempt that a line of the report is about; undefined where it is about none. */
export function attemptOf(line: string): string | undefined {
	return parseLine(v.object({id: v.string()}), line)?.id;
}

/**
 * The attempts that were reported; none where the report does not say that it is whole: a part of it proves nothing.
 */
export function readAttempts(text: string): Attempt[] {
	const lines = text.trim().split('\n');
	const end = parseLine(endSchema, lines.pop() ?? '');
	const attempts = lines.map(line => parseLine(attemptSchema, line));
	return end?.attempts === attempts.length && attempts.every(attempt => attempt !== undefined)
		? attempts.map(attempt => ({...attempt, blocked: attempt.blocked}))
		: [];
}

/** What the host saw while the attempts were made. */
export type HostView = {
	/** Targets that the proxy denied, and questions that it was asked. */
	readonly denied: readonly string[];
	readonly asked: readonly string[];
	/** Whether the project's repository is as it was before. */ readonly unchanged: boolean;
	readonly commonDir: string;
};

/** The host's evidence about one attempt. `control`: whether it could have worked, where nothing stood in its way. */
type Evidence = {readonly agrees: boolean; readonly host: string; readonly control?: boolean};

/** Holds what was seen inside against what the host sees. */
export function assess(attempt: Attempt, trap: Trap, view: HostView): Probe {
	const {id} = attempt;
	const [tried, expected] = describeAttempt(id);
	const {agrees, host, control = trap.controls.get(id) ?? true} = evidenceOf(attempt, trap, view);
	return {
		id,
		item: id.split('.')[0] as ItemId,
		tried,
		expected,
		seen: attempt.seen,
		host,
		status: judge({blocked: attempt.blocked, hostAgrees: agrees, control: control && attempt.control}),
	};
}

function evidenceOf({id, blocked}: Attempt, trap: Trap, view: HostView): Evidence {
	const {mark} = trap.request;
	const hits = trap.hits();
	const control = trap.controls.get(id) ?? true;
	if (id.startsWith('repo.read') || id === 'repo.link') {
		return {agrees: true, host: control ? 'the host reads the same file' : 'the host cannot read it either'};
	}

	if (id.startsWith('repo.write')) {
		const agrees = !existsSync(path.join(id.slice('repo.write.'.length), mark));
		return {agrees, host: agrees ? 'nothing was written' : 'the file is there'};
	}

	if (id === 'repo.hook' || id.startsWith('review.ref') || id === 'review.push' || id === 'review.packed') {
		const agrees = view.unchanged && !existsSync(path.join(view.commonDir, 'hooks', `post-checkout-${mark}`));
		return {
			agrees,
			host: agrees ? 'branch, hooks and configuration are as before' : "the project's repository changed",
		};
	}

	if (id.startsWith('network.tcp') || id === 'network.udp') {
		return {
			agrees: hits.tcp === 0 && hits.udp === 0,
			host: `the listeners saw ${hits.tcp} connections and ${hits.udp} datagrams`,
		};
	}

	if (id.startsWith('network.proxy')) {
		return {
			agrees: hits.tcp === 0,
			control: control && view.denied.length > 0,
			host: `the proxy wrote down ${view.denied.length} denials, the listeners saw ${hits.tcp} connections`,
		};
	}

	if (id === 'secrets.sockets') {
		return {agrees: hits.unix === 0, host: `the listener saw ${hits.unix} connections`};
	}

	if (id === 'deploy.socket') {
		return {agrees: hits.control === 0, host: `the listener saw ${hits.control} connections`};
	}

	if (id.includes('.ask.')) {
		const agrees = blocked === undefined ? true : view.asked.includes(`${id.split('.')[2]}/${mark}`);
		return {agrees, host: agrees ? 'written down' : 'the question never reached the gate'};
	}

	if (id === 'isolation.signal' || id === 'isolation.ptrace') {
		const agrees = trap.sentinelAlive();
		return {agrees, host: agrees ? 'the process lives' : 'the process is gone'};
	}

	if (id === 'secrets.environment') {
		return {
			agrees: true,
			host: control ? 'the canary is in a process of the host' : 'the canary could not be planted',
		};
	}

	return {agrees: true, host: 'nothing to see'};
}
