import type {FleetClient, LogSource} from '../../protocol/client.ts';
import {fleetLayout, footerHeight, gatesLayout} from '../layout.ts';
import {logKind} from '../navigation.ts';
import type {LogState, LogView, Message, State} from '../state.ts';
import {matchText} from './matches.ts';
import type {LogMove} from './move.ts';
import type {TerminalView} from './emulator.ts';
import {LogPager} from './pager.ts';
import {LogReader} from './reader.ts';

/** Output is drawn at most this often: the screen never sees the rate of an agent's lines. */
const frameMs = 150;

/** Bytes that an emulator gets at once. */
const maxFedBytes = 128 * 1024;

/** How far an emulator may be behind before what has gone by is passed over. */
const maxLagBytes = 4 * 1024 ** 2;

/** How much of what was written before an emulator gets, so that it shows a whole screen. */
const replayBytes = 64 * 1024;

/** How long the notice of a match waits for their count, which takes long in a long log. */
const countMs = 200;

/** A log that is followed. */
type Followed = {
	readonly run: string;
	readonly kind: LogState['kind'];
	/** Undefined while the emulator is being loaded for a run that draws a screen of its own. */
	pager: LogPager | undefined;
	ended: boolean;
	stop(): void;
};

/**
 * Feeds an emulator one piece at a time: an agent writes faster than an emulator draws, and one that is given more
 * than it takes throws.
 */
class EmulatorFeed {
	readonly #source: LogSource;
	readonly #fed: () => void;
	#position: number;
	#isFeeding = false;
	#isEnded = false;
	#view: TerminalView | undefined;

	/** @param fed called after each piece */
	constructor(source: LogSource, fed: () => void) {
		const {from, to} = source.range();
		this.#source = source;
		this.#position = Math.max(from, to - replayBytes);
		this.#fed = fed;
	}

	start(view: TerminalView): void {
		this.#view = view;
		this.feed();
	}

	feed(): void {
		const {to} = this.#source.range();
		if (this.#isFeeding || this.#isEnded || !this.#view || to <= this.#position) {
			return;
		}

		const start = to - this.#position > maxLagBytes ? to - maxFedBytes : this.#position;
		this.#position = Math.min(to, start + maxFedBytes);
		this.#isFeeding = true;
		this.#view.write(this.#source.read(start, this.#position), () => {
			this.#isFeeding = false;
			this.#fed();
			this.feed();
		});
	}

	end(): void {
		this.#isEnded = true;
		this.#view?.close();
		this.#source.close();
	}
}

/** The size of the part of the screen that a log has. */
function sizeOf(state: State): {width: number; height: number} {
	const {screen, columns, rows} = state;
	const height = Math.max(1, rows - footerHeight);
	switch (screen) {
		case 'fleet': {
			const {preview, output} = fleetLayout(state, height);
			return {width: preview.width, height: output};
		}

		case 'gates': {
			return {width: columns, height: gatesLayout(state, height).room};
		}

		default: {
			return {width: columns, height: Math.max(0, height - 2)};
		}
	}
}

/** Lines that match being counted. */
type Counting = {readonly followed: Followed; readonly search: string; done: Promise<void>};

/** Follows the log that is in view, and no other. Only here is a log read; the state has what is in view of it. */
export class LogFollower {
	readonly #client: Pick<FleetClient, 'openLog' | 'watchLog'>;
	readonly #state: () => State;
	readonly #send: (message: Message) => void;
	#followed: Followed | undefined;
	#painting: NodeJS.Timeout | undefined;
	#counting: Counting | undefined;
	/** Counts searches, so that one that another has overtaken ends. */
	#searches = 0;

	constructor(client: Pick<FleetClient, 'openLog' | 'watchLog'>, state: () => State, send: (message: Message) => void) {
		this.#client = client;
		this.#state = state;
		this.#send = send;
	}

	/**
	 * Follows what the state shows now.
	 * @returns what is in view of a log that was not followed before; undefined where nothing changed, or while an
	 *   emulator is being loaded
	 */
	follow(): LogState | undefined {
		const state = this.#state();
		const {selected} = state;
		const kind = logKind(state);
		if (this.#followed?.run === selected && (!this.#followed || this.#followed.kind === kind)) {
			return undefined;
		}

		const last = this.#followed;
		this.#followed = undefined;
		// After the frame, which does not wait for it.
		setImmediate(() => last?.stop());
		if (selected === undefined) {
			return undefined;
		}

		if (kind === 'screen') {
			this.#followScreen(selected);
			return undefined;
		}

		const pager = new LogPager(new LogReader(this.#client.openLog(selected, kind)));
		const unwatch = this.#client.watchLog(selected, () => this.#paintSoon());
		const followed: Followed = {
			run: selected,
			kind,
			pager,
			ended: false,
			stop() {
				followed.ended = true;
				unwatch();
				pager.close();
			},
		};
		this.#followed = followed;
		return this.#read({to: 'end'});
	}

	/** Follows a run that draws a screen of its own. */
	#followScreen(run: string): void {
		const feed = new EmulatorFeed(this.#client.openLog(run, 'output'), () => this.#paintSoon());
		const unwatch = this.#client.watchLog(run, () => feed.feed());
		const followed: Followed = {
			run,
			kind: 'screen',
			pager: undefined,
			ended: false,
			stop() {
				followed.ended = true;
				unwatch();
				feed.end();
			},
		};
		this.#followed = followed;
		// An emulator is large, and few runs need one.
		import('./emulator.ts').then(
			({TerminalView}) => {
				if (!followed.ended) {
					const view = new TerminalView();
					followed.pager = new LogPager(view);
					feed.start(view);
				}
			},
			() => {},
		);
	}

	/** How the log in view is looked at: what an emulator shows is in lines already, all of which are shown. */
	#viewOf({kind}: Followed): LogView {
		const {logView} = this.#state();
		return kind === 'screen' ? {...logView, steps: false, wrap: false} : logView;
	}

	#read(move: LogMove): LogState | undefined {
		const followed = this.#followed;
		if (!followed?.pager) {
			return undefined;
		}

		const view = this.#viewOf(followed);
		const window = followed.pager.page(move, view, sizeOf(this.#state()));
		if (view.search !== '' && followed.pager.isBehind(view.search)) {
			void this.#count(followed, view.search);
		}

		return {run: followed.run, kind: followed.kind, ...window, matches: followed.pager.matches(view.search)};
	}

	/** Counts the lines that match besides all else, and shows how many there are. */
	#count(followed: Followed, search: string): Promise<void> {
		const {pager, kind} = followed;
		if (!pager || (this.#counting?.followed === followed && this.#counting.search === search)) {
			return this.#counting?.done ?? Promise.resolve();
		}

		const counting: Counting = {followed, search, done: Promise.resolve()};
		const isOver = () => followed.ended || this.#counting !== counting;
		this.#counting = counting;
		// What a terminal shows changes after it was written.
		counting.done = pager.count(search, {anew: kind === 'screen', aborted: isOver}).then(() => {
			if (!isOver()) {
				this.#counting = undefined;
				this.page({to: 'same'});
			}
		});
		return counting.done;
	}

	/** Moves in the log, and shows what is in view then. */
	page(move: LogMove): void {
		const log = this.#read(move);
		if (log) {
			this.#send({type: 'log', log});
		}
	}

	#paintSoon(): void {
		this.#painting ??= setTimeout(() => {
			this.#painting = undefined;
			this.page({to: 'same'});
		}, frameMs);
	}

	/** Looks for what the state has as its search, and shows it. */
	async search(backward: boolean): Promise<void> {
		const mine = ++this.#searches;
		const followed = this.#followed;
		const {search} = this.#state().logView;
		const isOvertaken = () => this.#searches !== mine || this.#followed !== followed;
		const found = await followed?.pager?.search({search, backward, aborted: isOvertaken});
		if (isOvertaken()) {
			return;
		}

		this.page(found?.move ?? {to: 'same'});
		if (!found || !followed?.pager) {
			this.#send({type: 'not-found', search});
			return;
		}

		let waiting: NodeJS.Timeout | undefined;
		const wait = new Promise(resolve => {
			waiting = setTimeout(resolve, countMs);
		});
		await Promise.race([this.#count(followed, search), wait]);
		clearTimeout(waiting);
		if (isOvertaken()) {
			return;
		}

		const matches = this.#counting ? undefined : followed.pager.matches(search);
		const text = [matchText(matches), found.note].filter(part => part !== '').join(', ');
		if (text !== '') {
			this.#send({type: 'said', text: `"${search}": ${text}`, bad: false});
		}
	}

	/** The text between two positions of the log in view. */
	text(from: number, to: number): string {
		return this.#followed?.pager?.text(from, to) ?? '';
	}

	close(): void {
		this.#followed?.stop();
		this.#followed = undefined;
		clearTimeout(this.#painting);
	}
}
