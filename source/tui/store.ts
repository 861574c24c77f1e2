import {attentionOf} from '../core/run/attention.ts';
import {neutraliseLine} from '../core/text/escape-controls.ts';
import type {Run} from '../core/run/run.ts';
import {isQuiet} from '../core/settings.ts';
import type {FleetClient} from '../protocol/client.ts';
import {logKind, reload} from './navigation.ts';
import {fleetLayout, footerHeight, gatesLayout} from './layout.ts';
import {LogPager} from './log/pager.ts';
import {perform} from './perform.ts';
import {initialState} from './start.ts';
import {dialogOf, type Effect, type LogMove, type LogState, type Message, type State} from './state.ts';
import type {TerminalView} from './log/emulator.ts';
import {update} from './update.ts';

/** Output is drawn at most this often, milliseconds: the screen never sees the rate of an agent's lines. */
const frame = 150;

/** What the store takes out of the hands of `perform`: the screen ends for a while. */
export type Leaving = Effect & {type: 'quit' | 'terminal' | 'edit'};

/** Bytes that an emulator gets at once; and how far it may be behind before what has gone by is passed over. */
const fed = 128 * 1024;
const farBehind = 4 * 1024 ** 2;

type Followed = {
	readonly run: string;
	readonly kind: LogState['kind'];
	readonly pager: LogPager;
	/** Of a run that draws a screen of its own; undefined while it is being loaded. */ view: TerminalView | undefined;
	ended: boolean;
	stop(): void;
};

/** Holds the one state, feeds it messages, performs what it asks for, and tells who draws it. */
export class Store {
	#state: State;
	readonly #client: FleetClient;
	readonly #listeners = new Set<() => void>();
	readonly #onLeave: (effect: Leaving) => void;
	#followed: Followed | undefined;
	#painting: NodeJS.Timeout | undefined;
	#searching = 0;
	#needs: ReadonlyMap<string, string>;
	#title = '';
	#grammars: ((paths: readonly string[]) => void) | undefined;
	readonly #unwatch: () => void;
	/** Whether something else had the terminal before. */
	readonly #isBack: boolean;

	/** @param onLeave takes the effects that end the screen for a while */
	constructor(
		client: FleetClient,
		size: {columns: number; rows: number},
		onLeave: (effect: Leaving) => void,
		resumeFrom?: State,
	) {
		this.#client = client;
		this.#isBack = resumeFrom !== undefined;
		this.#onLeave = onLeave;
		const fresh = initialState({
			...size,
			now: client.now(),
			runs: client.runs(),
			changes: client.changes(),
			projects: client.projects(),
			here: client.here,
			theme: client.colourless ? 'plain' : 'dark',
		});
		this.#state = resumeFrom
			? {
					...resumeFrom,
					...size,
					runs: fresh.runs,
					changes: fresh.changes,
					projects: fresh.projects,
					now: fresh.now,
					busy: {},
					fleetBusy: undefined,
					progress: {},
					log: undefined,
					screen: resumeFrom.screen === 'welcome' ? fresh.screen : resumeFrom.screen,
					selected: resumeFrom.selected ?? fresh.selected,
				}
			: fresh;
		this.#needs = needsOf(fresh.runs);
		this.#unwatch = client.watch(() => this.#refresh());
		this.#look();
		// What no first frame needs comes after it.
		setImmediate(() => this.#afterFirstFrame());
	}

	readonly snapshot = (): State => this.#state;

	readonly subscribe = (listener: () => void): (() => void) => {
		this.#listeners.add(listener);
		return () => {
			this.#listeners.delete(listener);
		};
	};

	#afterFirstFrame(): void {
		this.#sayTitle();
		this.send({type: 'agents', agents: this.#client.agents()});
		this.#askForRecent();
		if (this.#isBack) {
			for (const effect of reload(this.#state)) {
				this.#perform(effect);
			}
		}

		this.#client.settings().then(
			({settings, problem}) => {
				this.send({
					type: 'settings',
					settings: this.#client.colourless ? {...settings, theme: 'plain'} : settings,
					problem,
				});
				if (settings.theme === 'auto' && !this.#client.colourless) {
					this.#client.terminal.askBackground();
				}
			},
			() => {},
		);
	}

	send(message: Message): void {
		if (message.type === 'keys' && message.keys.length > 1) {
			this.#typedAhead(message.keys);
			return;
		}

		const before = this.#state;
		const {state, effects} = update(
			before,
			message.type === 'keys' || message.type === 'mouse' ? {...message, at: this.#client.now()} : message,
		);
		this.#state = state;
		if (state !== before) {
			if (state.settings.mouse !== before.settings.mouse) {
				this.#client.terminal.mouse(state.settings.mouse);
			}

			this.#look();
			for (const listener of this.#listeners) {
				listener();
			}
		}

		for (const effect of effects) {
			this.#perform(effect);
		}

		this.#loadGrammars();
	}

	/** Several keys that came at once: each finds what the one before it brought into view. */
	#typedAhead(keys: readonly string[]): void {
		if (isBurst(this.#state, keys)) {
			this.send({type: 'said', text: 'too many keys at once: taken as pasted text, not as keys', bad: true});
			return;
		}

		let asked = false;
		for (const key of keys) {
			const dialog = dialogOf(this.#state);
			// A question that came up meanwhile can be typed into, but nobody has read what enter, or y, would answer.
			if (asked && dialog && (key === 'return' || dialog.yes !== undefined)) {
				break;
			}

			this.send({type: 'keys', keys: [key]});
			asked ||= dialog === undefined && dialogOf(this.#state) !== undefined;
		}
	}

	close(): void {
		this.#unwatch();
		this.#followed?.stop();
		this.#followed = undefined;
		clearTimeout(this.#painting);
	}

	#perform(effect: Effect): void {
		switch (effect.type) {
			case 'quit':
			case 'terminal':
			case 'edit': {
				this.#onLeave(effect);
				break;
			}

			case 'log': {
				this.#page(effect.move);
				break;
			}

			case 'search': {
				void this.#search(effect.backward);
				break;
			}

			case 'copy': {
				this.#copy(this.#followed?.pager.text(effect.from, effect.to) ?? '');
				break;
			}

			case 'copy-text': {
				this.#copy(effect.text);
				break;
			}

			default: {
				void perform(this.#client, effect, message => {
					// What a verb did is in the journal already: the row must not lag behind the words.
					if (message.type === 'done') {
						this.#refresh();
						this.#askForRecent();
					}

					this.send(message);
				}).catch((error: unknown) => {
					// What a verb said was not what this reads; the screen goes on.
					this.send({type: 'said', text: `not understood: ${neutraliseLine((error as Error).message)}`, bad: true});
				});
			}
		}
	}

	#copy(text: string): void {
		const lines = text.split('\n').length;
		const what = lines === 1 ? text.slice(0, 60) : `${lines} lines`;
		this.#client.terminal.copy(text).then(
			how => this.send({type: 'said', text: `${what}: ${how}`, bad: false}),
			(error: Error) => this.send({type: 'said', text: `not copied: ${error.message}`, bad: true}),
		);
	}

	#refresh(): void {
		const runs = this.#client.runs();
		this.send({
			type: 'data',
			runs,
			changes: this.#client.changes(),
			projects: this.#client.projects(),
			now: this.#client.now(),
		});
		this.#readJournal();
		this.#tell(runs);
	}

	/** Says that a run has come to need a person: once for each reason. */
	#tell(runs: readonly Run[]): void {
		const needs = needsOf(runs);
		const fresh = [...needs].filter(([id, because]) => this.#needs.get(id) !== because);
		this.#needs = needs;
		this.#sayTitle();
		if (fresh.length === 0) {
			return;
		}

		const {notify} = this.#state.settings;
		const quiet = isQuiet(notify.quiet, this.#client.timeOfDay());
		if (notify.bell && !quiet) {
			this.#client.terminal.bell();
		}

		if (notify.desktop && !quiet) {
			const [[id, because]] = fresh as [[string, string]];
			this.#client.terminal.notify(`${id}: ${because}${fresh.length > 1 ? `, and ${fresh.length - 1} more` : ''}`);
		}
	}

	#sayTitle(): void {
		const title =
			this.#needs.size === 0 ? 'fleet' : `fleet: ${this.#needs.size} ${this.#needs.size === 1 ? 'needs' : 'need'} you`;
		if (title !== this.#title && this.#state.settings.notify.title) {
			this.#title = title;
			this.#client.terminal.title(title);
		}
	}

	/** Only a new run needs them, so the first frame does not wait. */
	#askForRecent(): void {
		this.#client.recent().then(
			recent => this.send({type: 'recent', recent}),
			() => {},
		);
	}

	#readJournal(): void {
		const {selected, screen, tab} = this.#state;
		if (selected && screen === 'run' && (tab === 'journal' || tab === 'network' || tab === 'scopes')) {
			const entries = this.#client.journal(selected);
			if (entries.length !== this.#state.journal.length) {
				this.send({type: 'journal', run: selected, entries});
			}
		}
	}

	/** Follows the log that is in view, and no other. */
	#look(): void {
		const {selected} = this.#state;
		const kind = logKind(this.#state);
		if (this.#followed?.run !== selected || (this.#followed && this.#followed.kind !== kind)) {
			this.#followed?.stop();
			this.#followed = undefined;
			if (selected !== undefined) {
				this.#follow(selected, kind);
			}
		}

		if (this.#state.journal.length === 0) {
			this.#readJournal();
		}
	}

	#follow(run: string, kind: LogState['kind']): void {
		const source = this.#client.openLog(run, kind === 'screen' ? 'output' : kind);
		const pager = new LogPager(source);
		let position = Math.max(source.range().from, source.range().to - 64 * 1024);
		let feeding = false;
		const changed = () => {
			if (kind !== 'screen') {
				this.#paintSoon();
				return;
			}

			// One piece at a time: an agent writes faster than an emulator draws, and what waits in one is limited.
			const {to} = source.range();
			if (feeding || followed.ended || !followed.view || to <= position) {
				return;
			}

			position = to - position > farBehind ? to - fed : position;
			const end = Math.min(to, position + fed);
			feeding = true;
			followed.view.write(source.read(position, end), () => {
				feeding = false;
				this.#paintSoon();
				changed();
			});
			position = end;
		};

		const unwatch = this.#client.watchLog(run, changed);
		const followed: Followed = {
			run,
			kind,
			pager,
			view: undefined,
			ended: false,
			stop() {
				followed.ended = true;
				unwatch();
				pager.close();
				followed.view?.close();
			},
		};
		this.#followed = followed;
		if (kind !== 'screen') {
			// Read before the frame that shows the run, so that there is no frame without its output.
			this.#state = {...this.#state, log: this.#read({to: 'end'})};
			return;
		}

		// An emulator is large, and few runs need one.
		import('./log/emulator.ts').then(
			({TerminalView}) => {
				if (!followed.ended) {
					followed.view = new TerminalView();
					changed();
				}
			},
			() => {},
		);
	}

	#size(): {width: number; height: number} {
		const {screen, columns, rows} = this.#state;
		const height = Math.max(1, rows - footerHeight);
		switch (screen) {
			case 'fleet': {
				return {width: columns, height: fleetLayout(this.#state, height).output};
			}

			case 'gates': {
				return {width: columns, height: gatesLayout(this.#state, height).room};
			}

			default: {
				return {width: columns, height: Math.max(0, height - 2)};
			}
		}
	}

	#read(move: LogMove): LogState | undefined {
		const followed = this.#followed;
		return (
			followed &&
			(followed.kind === 'screen'
				? followed.view?.page(followed.run, this.#size(), this.#state.log, move)
				: followed.pager.page(followed.run, followed.kind, this.#state.logView, this.#size(), move))
		);
	}

	#page(move: LogMove): void {
		const log = this.#read(move);
		if (log) {
			this.send({type: 'log', log});
		}
	}

	#paintSoon(): void {
		this.#painting ??= setTimeout(() => {
			this.#painting = undefined;
			this.#page({to: 'same'});
		}, frame);
	}

	async #search(backward: boolean): Promise<void> {
		const mine = ++this.#searching;
		const followed = this.#followed;
		const {search} = this.#state.logView;
		const found = await followed?.pager.search(
			search,
			backward,
			this.#state.log,
			() => this.#searching !== mine || this.#followed !== followed,
		);
		if (this.#searching === mine && this.#followed === followed) {
			if (found) {
				this.#page(found.move);
				if (found.note !== '') {
					this.send({type: 'said', text: `"${search}": ${found.note}`, bad: false});
				}
			} else {
				this.#page({to: 'same'});
				this.send({type: 'not-found', search});
			}
		}
	}

	/** Colours for a review's files, once one is looked at. */
	#loadGrammars(): void {
		const {review, screen, tab} = this.#state;
		if (!review || screen !== 'run' || tab !== 'changes' || this.#state.theme === 'plain') {
			return;
		}

		if (this.#grammars) {
			this.#grammars(review.files.map(file => file.path));
			return;
		}

		this.#grammars = () => {};
		import('./review/syntax.ts').then(
			({loadGrammars}) => {
				this.#grammars = paths => void loadGrammars(paths, () => this.send({type: 'grammar'}));
				this.#loadGrammars();
			},
			() => {},
		);
	}
}

/**
 * Whether keys that came at once are a text that was not meant as keys: of those
 * nobody presses four different ones at a time. What goes into a field is typed.
 */
function isBurst(state: State, keys: readonly string[]): boolean {
	const loose = new Set<string>();
	let at = state;
	for (const key of keys) {
		const {focus} = at;
		const isField = focus.type === 'dialog' ? focus.dialog.fields.length > 0 : focus.type !== 'screen';
		if (!isField && ([...key].length === 1 || key === 'space')) {
			loose.add(key);
		}

		at = update(at, {type: 'keys', keys: [key]}).state;
	}

	return loose.size > 3;
}

/** What each run needs a person for, by run. */
function needsOf(runs: readonly Run[]): Map<string, string> {
	return new Map(
		runs.flatMap(run => {
			const need = attentionOf(run);
			return need !== undefined && run.stage !== 'discarded' ? [[run.id, need] as const] : [];
		}),
	);
}
