import {chmodSync, rmSync} from 'node:fs';
import net from 'node:net';
import {Refusal} from '../../core/refusal.ts';
import {openRuntime} from '../../host/paths.ts';
import {machineRefusal} from '../../host/write.ts';
import {LineSplitter, parseRequest, type Request, type Response} from '../../protocol/messages.ts';
import {perform} from './requests.ts';
import type {Supervision} from './supervision.ts';

/* The socket by which a run's supervisor is talked to: lines in, lines out. Only its person can open it. */

/** What may wait for a viewer that does not read, before it gets no more output: bytes. */
const maxWaitingBytes = 4 * 1024 ** 2;

export async function listen(supervision: Supervision): Promise<net.Server> {
	const {context, places} = supervision;
	openRuntime(context.paths);
	rmSync(places.socket, {force: true});
	const server = net.createServer(socket => serve(supervision, socket));
	await new Promise<void>((resolve, reject) => {
		server.once('error', reject);
		server.listen(places.socket, resolve);
	});
	chmodSync(places.socket, 0o600);
	return server;
}

function serve(supervision: Supervision, socket: net.Socket): void {
	const splitter = new LineSplitter();
	let slow = false;
	const send = (response: Response) => {
		// A viewer that does not read must not make the supervisor remember for it.
		if ('output' in response && slow) {
			return;
		}

		slow = !socket.write(`${JSON.stringify(response)}\n`) && socket.writableLength > maxWaitingBytes;
	};

	socket.setEncoding('utf8');
	socket.on('drain', () => {
		slow = false;
	});
	socket.on('error', () => socket.destroy());
	socket.on('close', () => supervision.viewers.remove(send));
	socket.on('data', (text: string) => {
		try {
			for (const line of splitter.push(text)) {
				const request = parseRequest(line);
				if (!request) {
					socket.destroy();
					return;
				}

				void answer(supervision, request, send);
			}
		} catch {
			// A line without an end: nobody who means well sends one.
			socket.destroy();
		}
	});
}

async function answer(supervision: Supervision, request: Request, send: (response: Response) => void): Promise<void> {
	const {id} = request;
	try {
		send({id, ok: true, result: await perform(supervision, request, send)});
	} catch (error) {
		const refusal =
			error instanceof Refusal
				? error
				: (machineRefusal(error) ?? new Refusal((error as Error).message, 'look at the run with fleet show', 1));
		send({id, ok: false, because: refusal.because, hint: refusal.hint, exitCode: refusal.exitCode});
	}
}
