import {isLoopback} from '../../core/network/addresses.ts';
import {pageHosts} from '../../core/network/page.ts';
import {proxyPort} from '../../core/plan.ts';
import {Refusal} from '../../core/refusal.ts';
import {isInForce} from '../../core/scope.ts';
import {listeningPorts} from '../../host/listening.ts';
import {PageServer} from '../../host/page-server.ts';
import {ticketLifeMs} from '../../host/page-tickets.ts';
import {openedBy} from '../../scopes/registry.ts';
import {egressState} from '../sandbox/plan.ts';
import {noteDenied} from './network-events.ts';
import {note, type Supervision} from './supervision.ts';

/*
 * Ports inside a run that the person's browser may reach: a listener on this machine for each, from when it is asked
 * for until its grant ends or the run does.
 */

/** Whether a grant of the port is in force. */
function isGranted({journal}: Supervision, port: number): boolean {
	return journal.run.grants.some(grant => isInForce(grant, Date.now()) && openedBy(grant.scope).port === port);
}

async function openServer(supervision: Supervision, port: number): Promise<PageServer> {
	const {journal, opened, counter} = supervision;
	const {id} = journal.run;
	return PageServer.open({
		host: `${id}.localhost`,
		port,
		dial: () => opened.session!.dial(port),
		closed() {
			if (!isGranted(supervision, port)) {
				return `port:${port} is not granted to ${id} any more`;
			}

			return journal.run.stage === 'running' ? undefined : `${id} is paused`;
		},
		// A secret's hosts are for the run alone: what it may do there, the broker looks at.
		hosts: () => pageHosts(egressState(journal.run, opened.policy!, {now: Date.now()}).rules),
		onLoad() {
			const {count, write} = counter.count(`page ${port}`);
			if (write) {
				note(supervision, {type: 'port.used', port, count}, false);
			}
		},
		onDenied(target) {
			// No grant opens a port of this machine to a page.
			const kind = isLoopback(target.replace(/:\d+$/, '')) ? 'address' : 'not-granted';
			noteDenied(supervision, target, {because: 'a page of the run asked for it in your browser', kind});
		},
	});
}

/**
 * An address for the person's browser that leads to a port inside the run.
 * @throws Refusal where that is not granted
 */
export async function openPort(
	supervision: Supervision,
	port: number,
): Promise<{url: string; address: string; lifeMs: number; listens: boolean}> {
	const {journal, openPorts, opened, watch} = supervision;
	const {id} = journal.run;
	if (!isGranted(supervision, port)) {
		throw new Refusal(`port:${port} is not granted to ${id}`, `fleet allow ${id} port:${port} --because "…"`);
	}

	if (watch.ended || !opened.session) {
		throw new Refusal(`${id} has ended`, `fleet show ${id}`);
	}

	const isNew = !openPorts.has(port);
	const opening = openPorts.get(port) ?? openServer(supervision, port);
	openPorts.set(port, opening);
	let server;
	try {
		server = await opening;
	} catch (error) {
		openPorts.delete(port);
		throw error;
	}

	if (openPorts.get(port) !== opening) {
		throw new Refusal(`port:${port} was taken back meanwhile`, `fleet show ${id}`);
	}

	if (isNew) {
		try {
			note(supervision, {type: 'port.opened', port, address: server.address});
		} catch (error) {
			// Nothing is open that is not written down.
			openPorts.delete(port);
			server.close();
			throw error;
		}
	}

	const listens = listeningPorts(opened.session.holderPid, []).includes(port);
	return {url: server.ticketAddress(), address: server.address, lifeMs: ticketLifeMs, listens};
}

/**
 * Closes what is granted no more: listeners, and connections through them. With `because`: everything.
 * @returns how many connections of browsers were cut
 */
export async function closePorts(supervision: Supervision, because?: string): Promise<number> {
	let cut = 0;
	const gone = [...supervision.openPorts].filter(([port]) => because !== undefined || !isGranted(supervision, port));
	for (const [port] of gone) {
		supervision.openPorts.delete(port);
	}

	for (const [port, opening] of gone) {
		const server = await opening.catch(() => undefined);
		if (server) {
			const connections = server.close();
			cut += connections;
			note(
				supervision,
				{type: 'port.closed', port, because: because ?? 'not granted any more', cut: connections},
				false,
			);
		}
	}

	return cut;
}

/** Cuts what goes through the ports; they stay open. */
export function cutPorts({openPorts}: Supervision): void {
	for (const opening of openPorts.values()) {
		void opening.then(server => server.cut()).catch(() => {});
	}
}

/** Writes down on which ports programs inside listen, where that changed. */
export function lookAtPorts(supervision: Supervision): void {
	const {journal, opened, counter} = supervision;
	const ports = listeningPorts(opened.session!.holderPid, [proxyPort]);
	// Who listens here and there without an end is not followed.
	if (ports.join() !== journal.run.listening.join() && counter.count('listening').count <= 100) {
		note(supervision, {type: 'ports.listening', ports}, false);
	}
}
