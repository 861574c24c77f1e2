import net from 'node:net';
import type {Person} from '../core/actor.ts';
import {Refusal} from '../core/refusal.ts';
import {
	LineSplitter,
	parseAnswer,
	parseResponse,
	type AnswerOf,
	type Ask,
	type Behind,
	type Request,
	type Response,
} from '../protocol/messages.ts';

/** The longest line of a supervisor's, characters: what it kept of the output is one. */
const maxLine = 16 * 1024 ** 2;

type Waiting = {resolve(result: unknown): void; reject(error: Error): void};

/** A connection to a run's supervisor. */
export class Connection {
	readonly #socket: net.Socket;
	readonly #actor: Person;
	#next = 1;
	readonly #waiting = new Map<number, Waiting>();
	#because = 'the supervisor closed the connection';
	onOutput: (bytes: Uint8Array) => void = () => {};
	onEnd: (because: string) => void = () => {};

	private constructor(socket: net.Socket, actor: Person) {
		this.#socket = socket;
		this.#actor = actor;
		const splitter = new LineSplitter(maxLine);
		socket.setEncoding('utf8');
		socket.on('data', (text: string) => {
			for (const line of splitter.push(text)) {
				const response = parseResponse(line);
				if (!response) {
					this.#because = 'the supervisor is of another version of fleet, and says what this one does not know';
					socket.destroy();
					return;
				}

				this.#take(response);
			}
		});
		// Told by `close`.
		socket.on('error', () => {});
		socket.on('close', () => {
			for (const {reject} of this.#waiting.values()) {
				reject(new Refusal(this.#because, 'fleet list'));
			}

			this.#waiting.clear();
			this.onEnd(this.#because);
		});
	}

	/** @param actor who asks. @returns undefined where nobody listens */
	static open(path: string, actor: Person): Promise<Connection | undefined> {
		return new Promise(resolve => {
			const socket = net.connect(path);
			socket.once('error', () => resolve(undefined));
			socket.once('connect', () => resolve(new Connection(socket, actor)));
		});
	}

	#take(response: Response): void {
		if ('output' in response) {
			this.onOutput(Buffer.from(response.output, 'base64'));
		} else if ('ended' in response) {
			this.#because = response.ended;
		} else {
			const waiting = this.#waiting.get(response.id);
			this.#waiting.delete(response.id);
			if (response.ok) {
				waiting?.resolve(response.result);
			} else {
				waiting?.reject(new Refusal(response.because, response.hint, response.exitCode));
			}
		}
	}

	/**
	 * @param behind for a grant, the values behind it
	 * @throws Refusal where the supervisor refuses, or ends first
	 */
	async request<Type extends Ask['type']>(
		ask: Extract<Ask, {readonly type: Type}>,
		behind: Behind = {},
	): Promise<AnswerOf<Type>> {
		const id = this.#next++;
		const result = await new Promise<unknown>((resolve, reject) => {
			this.#waiting.set(id, {resolve, reject});
			const request: Request = {id, actor: this.#actor, ask, ...behind};
			this.#socket.write(`${JSON.stringify(request)}\n`);
		});
		const answer = parseAnswer<Type>(ask.type, result);
		if (!answer) {
			throw new Refusal('the supervisor answered what this version of fleet does not know', 'fleet list');
		}

		return answer;
	}

	close(): void {
		this.#socket.end();
	}
}
