import type {IncomingMessage} from 'node:http';
import type {Transform} from 'node:stream';
import {createBrotliDecompress, createGunzip, createInflate} from 'node:zlib';
import {pairsOf, replyHeaders, type HeaderPairs} from '../core/network/forward.ts';
import {formatTarget, type Target} from '../core/network/target.ts';
import {FrameBlanker} from '../core/network/websocket-frames.ts';
import {Blanker, copyOf, type Patterns} from '../core/secrets/patterns.ts';
import type {BrokerHooks} from './broker-hooks.ts';
import {Stopped, through, type Filter} from './http-forwarding.ts';
import {PatternCache} from './pattern-cache.ts';

/** What undoes a compression that nobody asked for. */
const decoders: Readonly<Record<string, () => Transform>> = {
	gzip: createGunzip,
	'x-gzip': createGunzip,
	deflate: createInflate,
	br: createBrotliDecompress,
};

/** What passes through the broker: no pointer goes out, and no value comes back. */
export class BrokerFilters {
	readonly #hooks: BrokerHooks;
	readonly #pointerPatterns = new PatternCache();
	readonly #valuePatterns = new PatternCache();

	constructor(hooks: BrokerHooks) {
		this.#hooks = hooks;
	}

	/** What finds every pointer of the run. */
	pointers(): Patterns {
		return this.#pointerPatterns.of(this.#hooks.pointers());
	}

	/** What finds every value that the run could use since it started. */
	values(): Patterns {
		return this.#valuePatterns.of(this.#hooks.values());
	}

	/**
	 * A request's body on its way out. A pointer in it goes no further: to a task's host the request ends there; to a
	 * model's own host it is blanked, since an agent that looked
	 * at its environment once would have it in every later turn.
	 */
	outward(target: Target, isModel: boolean): Filter {
		const tell = () =>
			this.#hooks.onRefused(
				formatTarget(target),
				`a pointer is in the body of a request${isModel ? ', and was blanked' : ''}`,
				true,
			);
		// A pointer that a chunk cuts is held back, so that not even its beginning goes.
		const blanker = new Blanker(this.pointers());
		let told = false;
		const change = (bytes: Uint8Array) => {
			if (blanker.found > 0 && !told) {
				told = true;
				tell();
				if (!isModel) {
					throw new Stopped(403, 'a pointer is in the body of the request');
				}
			}

			return bytes;
		};

		return {push: chunk => change(blanker.push(chunk)), end: () => change(blanker.end())};
	}

	/** A reply's headers, blanked. Cookies stay outside: they would be credentials of another kind. */
	replyHeaders(answer: IncomingMessage): HeaderPairs {
		const blank = (text: string) => {
			const blanker = new Blanker(this.values());
			const bytes = Buffer.concat([blanker.push(Buffer.from(text, 'latin1')), blanker.end()]);
			return {text: bytes.toString('latin1'), found: blanker.found > 0};
		};

		return replyHeaders({status: answer.statusCode!, headers: pairsOf(answer.rawHeaders)})
			.filter(([name]) => !/^(?:set-cookie2?|alt-svc)$/i.test(name) && !blank(name).found)
			.map(([name, value]) => [name, blank(value).text] as const);
	}

	/**
	 * How a reply comes back: what it was compressed with is undone,
	 * though it was not asked for, since nothing in it could be found.
	 * @param listen hears the body as it is passed on
	 * @throws Stopped where that is not known here
	 */
	reply(
		answer: IncomingMessage,
		method: string,
		listen: ((piece: Uint8Array) => void) | undefined,
	): {headers: HeaderPairs; inward: Transform[]} {
		const coding = (answer.headers['content-encoding'] ?? '').trim().toLowerCase();
		const isPlain = coding === '' || coding === 'identity';
		const decoder = isPlain ? undefined : decoders[coding];
		const hasBody = method !== 'HEAD' && answer.statusCode !== 204 && answer.statusCode !== 304;
		if (!isPlain && hasBody && (!decoder || answer.statusCode === 206)) {
			throw new Stopped(502, 'the reply is compressed in a way that cannot be looked into');
		}

		const blanker = new Blanker(this.values());
		const hear = (bytes: Uint8Array) => {
			listen?.(bytes);
			return bytes;
		};

		return {
			headers: this.replyHeaders(answer).filter(
				([name]) => !/^content-encoding$/i.test(name) && (isPlain || !/^content-length$/i.test(name)),
			),
			inward: [
				...(decoder && hasBody ? [decoder()] : []),
				through({push: chunk => hear(blanker.push(chunk)), end: () => hear(blanker.end())}),
			],
		};
	}
}

/** Frames of one direction, blanked. @param listen hears what goes on, with a line end after each frame */
export function frames(
	patterns: Patterns,
	onBlanked: (cut: boolean) => void,
	listen: ((piece: Uint8Array) => void) | undefined,
): Transform {
	let kept: Uint8Array[] = [];
	const blanker = new FrameBlanker(
		() => new Blanker(patterns),
		onBlanked,
		listen &&
			((bytes, end) => {
				kept.push(copyOf(bytes));
				if (end) {
					listen(Buffer.concat([...kept, Buffer.from('\n')]));
					kept = [];
				}
			}),
	);
	return through({
		push(chunk) {
			const passed = blanker.push(chunk);
			if (blanker.broken) {
				throw new Error('frames that cannot be looked into');
			}

			return passed;
		},
		end: () => blanker.end(),
	});
}
