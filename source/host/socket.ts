import net from 'node:net';
import {Refusal} from '../core/refusal.ts';
import {LineSplitter, type Request, type Response} from '../protocol/messages.ts';

type Unnumbered<T> = T extends {id: number} ? Omit<T, 'id'> : never;

/** A connection to a run's supervisor. */
export class Connection {
	readonly #socket: net.Socket;
	#next = 1;
	readonly #waiting = new Map<number, {resolve(result: Record<string, unknown>): void; reject(error: Error): void}>();
	onOutput: (bytes: Uint8Array) => void = () => {};
	onEnd: (because: string) => void = () => {};

	private constructor(socket: net.Socket) {
		this.#socket = socket;
		const splitter = new LineSplitter(16 * 1024 ** 2);
		let because = 'the supervisor closed the connection';
		socket.setEncoding('utf8');
		socket.on('data', (text: string) => {
			for (const line of splitter.push(text)) {
				const message = JSON.parse(line) as Response;
				if ('output' in message) {
					this.onOutput(Buffer.from(message.output, 'base64'));
				} else if ('ended' in message) {
					because = message.ended;
				} else {
					const waiting = this.#waiting.get(message.id);
					this.#waiting.delete(message.id);
					if (message.ok) {
						waiting?.resolve(message.result);
					} else {
						waiting?.reject(new Refusal(message.because, message.hint, message.exitCode));
					}
				}
			}
		});
		socket.on('error', () => {});
		socket.on('close', () => {
			for (const {reject} of this.#waiting.values()) {
				reject(new Refusal(because, 'fleet list'));
			}

			this.#waiting.clear();
			this.onEnd(because);
		});
	}

	/** Undefined where nobody listens. */
	static open(path: string): Promise<Connection | undefined> {
		return new Promise(resolve => {
			const socket = net.connect(path);
			socket.once('error', () => resolve(undefined));
			socket.once('connect', () => resolve(new Connection(socket)));
		});
	}

	request(request: Unnumbered<Request>): Promise<Record<string, unknown>> {
		const id = this.#next++;
		return new Promise((resolve, reject) => {
			this.#waiting.set(id, {resolve, reject});
			this.#socket.write(`${JSON.stringify({id, ...request})}\n`);
		});
	}

	close(): void {
		this.#socket.end();
	}
}
